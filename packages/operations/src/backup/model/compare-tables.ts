import type { TableDigest } from './manifest.ts'

/** What differs between the tables of a backup and those that were restored, in words; empty when all are equal. */
export function compareTables(backedUp: TableDigest[], restored: TableDigest[]): string[] {
  const there = new Map(restored.map((table) => [table.name, table]))
  const known = new Set(backedUp.map(({ name }) => name))
  return [
    ...backedUp.flatMap(({ name, rows, digest }) => {
      const found = there.get(name)
      if (!found) return [`${name} is missing`]
      if (found.rows !== rows) return [`${name} has ${found.rows} rows instead of ${rows}`]
      return found.digest === digest ? [] : [`the rows of ${name} differ`]
    }),
    ...restored.filter(({ name }) => !known.has(name)).map(({ name }) => `${name} is not in the backup`),
  ]
}
