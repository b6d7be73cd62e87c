import { missingItems, type DescribedItem, type PostgresClient } from '@outgrow/databases'
import { describeDatabase } from '../catalog/structure.ts'
import type { PostgresDetails } from '../details.ts'
import { majorOf, serverVersion } from '../server.ts'

export interface StructureDifferences {
  /** The database is not the one that was backed up. */
  problems: string[]
  /** It is, but others may use it, or it tells others less. */
  notes: string[]
}

/** They follow the server's roles, which may be others. */
const softKinds = new Set(['owner', 'grant', 'column grant', 'publication', 'event trigger'])
/** Each version spells definitions in its own way, but of these. */
const plainKinds = new Set(['column', 'enum', 'domain', 'composite type', 'range type', 'sequence'])

/** What a backup's database had and a restored one has not, or has in another form. */
export async function compareStructure(
  client: PostgresClient,
  details: PostgresDetails,
): Promise<StructureDifferences> {
  const found = await describeDatabase(client)
  const { number } = await serverVersion(client)
  const isSameVersion = majorOf(number) === majorOf(details.serverVersion)
  const comparable = (items: DescribedItem[]) =>
    isSameVersion
      ? items
      : items.map((item) => (plainKinds.has(item.kind) ? item : { ...item, definition: '' }))
  const missing = missingItems(comparable(details.structure), comparable(found))
  const there = new Set(found.map(({ kind, name }) => `${kind} ${name}`))
  const words = ({ kind, name }: DescribedItem) =>
    `${kind} ${name} ${there.has(`${kind} ${name}`) ? 'differs' : 'is missing'}`
  const soft = missing.filter(({ kind }) => softKinds.has(kind))
  return {
    problems: missing.filter(({ kind }) => !softKinds.has(kind)).map(words),
    notes: soft.length === 0 ? [] : [`${soft.length} owners, grants or publications are not as they were: ${soft.slice(0, 5).map(words).join(', ')}${soft.length > 5 ? ', …' : ''}.`],
  }
}
