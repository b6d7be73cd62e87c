import type { PreparedSchema } from '../../model/prepared-schema.ts'

/** Tables that the schema has, as `schema.table`, the implicit many-to-many ones included. */
export function expectedTables({ storage, prismaDdl }: PreparedSchema, home: string): Set<string> {
  // The schema does not spell out the implicit ones.
  const joins = [...prismaDdl.matchAll(/^CREATE TABLE (?:"[^"]+"\.)?"(_[^"]+)" \(\s*"A"/gm)].map(
    (match) => match[1] as string,
  )
  return new Set([
    ...storage.postgres.map(({ schema, table }) => `${schema ?? home}.${table}`),
    ...joins.map((name) => `${home}.${name}`),
  ])
}
