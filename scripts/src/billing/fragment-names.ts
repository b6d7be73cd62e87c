import { fragmentMarks, fragmentTables, type FragmentName } from '@outgrow/billing/models'
import { Failure } from '@outgrow/kit'
import type { Dmmf, indexSchema } from '@outgrow/schema'

export interface Named {
  name: string
  table: string
  /** It is billing's already: the inbox that was adopted, or a run before. */
  isThere: boolean
}

/**
 * What billing's blocks are called in a schema, those of them that are asked for: by their own name, or with the prefix
 * where that is taken. A name is taken by a model or an enum, a table also by another's; Postgres keeps types among the tables.
 * @param taken what a database calls its own, in small letters, whether the schema knows it or not
 * @throws Failure OUTGROW_BILLING_NAMES
 */
export function fragmentNamesIn<Name extends FragmentName>(
  { datamodel }: Pick<Dmmf, 'datamodel'>,
  prefix: string,
  asked: readonly Name[],
  taken: ReadonlySet<string> = new Set(),
): Record<Name, Named> {
  const blocks = new Map(
    [
      ...datamodel.models.map((one) => ({ ...one, members: one.fields.map(({ name }) => name) })),
      ...datamodel.enums.map((one) => ({ ...one, members: one.values.map(({ name }) => name) })),
    ].map((one) => [one.name, one]),
  )
  const tables = new Set([...blocks.values()].map(({ name, dbName }) => (dbName ?? name).toLowerCase()))
  const snake = prefix.replaceAll(/(?<=[a-z0-9])(?=[A-Z])/g, '_').toLowerCase()
  const chosen = asked.map((name): [Name, Named] => {
    const candidates = [
      { name, table: fragmentTables[name] },
      { name: `${prefix}${name}`, table: `${snake}_${fragmentTables[name]}` },
    ]
    for (const candidate of candidates) {
      const there = blocks.get(candidate.name)
      if (there && fragmentMarks[name].every((mark) => there.members.includes(mark)))
        return [name, { name: there.name, table: there.dbName ?? there.name, isThere: true }]
    }
    const free = candidates.find(
      (one) => !blocks.has(one.name) && !tables.has(one.table) && !taken.has(one.table),
    )
    if (free) return [name, { ...free, isThere: false }]
    throw new Failure({
      code: 'OUTGROW_BILLING_NAMES',
      message: `Both ${name} and ${prefix}${name} are taken.`,
      why: `A model, an enum, a table or a type has the name: ${candidates.map((one) => `${one.name} or ${one.table}`).join(', and ')}.`,
      fix: 'Pass another --prefix.',
    })
  })
  return Object.fromEntries(chosen) as Record<Name, Named>
}

/** What stands behind each DateTime of billing's blocks in a schema. */
export function timeType({
  source,
  datasource,
}: Pick<ReturnType<typeof indexSchema>, 'source' | 'datasource'>): string {
  return source === 'postgres' ? `@${datasource}.Timestamptz(3)` : ''
}
