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
const plainKinds = new Set([
  'column',
  'enum',
  'domain',
  'composite type',
  'range type',
  'sequence',
  'function',
])

/** What a backup's database had and a restored one has not, or has in another form. */
export async function compareStructure(
  client: PostgresClient,
  details: PostgresDetails,
): Promise<StructureDifferences> {
  const found = await describeDatabase(client)
  const { number } = await serverVersion(client)
  const [server, backup] = [majorOf(number), majorOf(details.serverVersion)]
  const there = new Set(found.map(nameOf))
  const missing = missingItems(details.structure, found)
  const isRespelled = (item: DescribedItem) =>
    server !== backup && !plainKinds.has(item.kind) && there.has(nameOf(item))
  const words = (item: DescribedItem) =>
    `${nameOf(item)} ${there.has(nameOf(item)) ? 'differs' : 'is missing'}`
  const soft = missing.filter(({ kind }) => softKinds.has(kind))
  const hard = missing.filter(({ kind }) => !softKinds.has(kind))
  const respelled = hard.filter(isRespelled)
  return {
    problems: hard.filter((item) => !isRespelled(item)).map(words),
    notes: [
      ...(respelled.length === 0
        ? []
        : [
            `PostgreSQL ${server} spells the definitions of these otherwise than ${backup} did, so that only their names were compared: ${excerpt(respelled.map(nameOf))}.`,
          ]),
      ...(soft.every(isRespelled)
        ? []
        : [`Owners, grants or publications are not as they were: ${excerpt(soft.map(words))}.`]),
    ],
  }
}

const nameOf = ({ kind, name }: DescribedItem): string => `${kind} ${name}`

function excerpt(words: string[]): string {
  const shown = words.slice(0, 5)
  return shown.join(', ') + (words.length > shown.length ? ` and ${words.length - shown.length} more` : '')
}
