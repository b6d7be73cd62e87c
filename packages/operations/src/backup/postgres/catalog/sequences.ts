import type { PostgresClient } from '@outgrow/databases'
import type { StoredSequence } from '../details.ts'
import type { Relation } from './relations.ts'

const perStatement = 500

/** Where sequences are now: no transaction holds them still, so that they are at least where the rows need them. */
export async function readSequences(
  client: PostgresClient,
  relations: readonly Relation[],
): Promise<StoredSequence[]> {
  const sequences = relations.filter(({ kind }) => kind === 'sequence')
  const found: StoredSequence[] = []
  for (let at = 0; at < sequences.length; at += perStatement) {
    const some = sequences.slice(at, at + perStatement)
    const { rows } = await client.query<{ at: number; last: string; isCalled: boolean }>(
      some
        .map(({ label }, n) => `SELECT ${n} AS at, last_value AS last, is_called AS "isCalled" FROM ${label}`)
        .join(' UNION ALL '),
    )
    for (const { at: n, last, isCalled } of rows) {
      const { label } = some[n] as Relation
      found.push({ label, last, isCalled })
    }
  }
  return found
}
