import { runBatch, type BatchStatement, type PostgresClient } from '@outgrow/databases'
import { FindingCollector, FixCounter } from '../../../model/collectors.ts'
import type { AppliedChanges, ChangedPart, TableChanges } from '../../../model/change.ts'
import { addDigests, emptyDigest, sameDigest, type Digest } from '../../../model/digest.ts'
import type { Finding } from '../../../model/finding.ts'
import type { FixReport } from '../../../model/report.ts'
import type { QuarantinedRow } from '../../../model/row.ts'
import { copyHeader, copyTrailer } from '../../../types/binary-writer.ts'
import { copyInto } from '../postgres-target.ts'
import { arraysOf } from './binary-array.ts'
import type { FollowedSql } from './followed-tables.ts'

/** What came of applying changes. */
export interface Applied {
  tables: AppliedChanges[]
  findings: Finding[]
  fixes: FixReport[]
  quarantined: QuarantinedRow[]
}

/** Sent at a time: what is less goes in one round trip. */
const bytesPerBatch = 4 * 1024 * 1024
/** So many keys are kept, and not read again for the next pass. */
const keptKeys = 20_000

/** Marks the session's changes as its own, for which no trigger of the way back fires. Until the transaction ends. */
const markApplying = "SELECT set_config('outgrow.applying', 'on', true)"

/**
 * Applies changes within one transaction: all changed rows are removed first, whichever unique values they had, and those
 * that are there now are loaded; then the server is asked what it has under the changed keys. The transaction is left
 * open: the caller looks at what came of it, and ends it.
 * @param first statements that run in the transaction before that, such as the record of the position
 * @param begins whether the transaction begins with it
 * @returns what was applied, and the rows of `first`
 */
export async function applyChanges(
  client: PostgresClient,
  sql: ReadonlyMap<number, FollowedSql>,
  changes: readonly TableChanges[],
  first: readonly BatchStatement[],
  begins: boolean,
): Promise<Applied & { first: (string | null)[][][] }> {
  const batch = new Batches(client)
  const own = [...(begins ? [{ sql: 'BEGIN' }] : []), { sql: markApplying }, ...first]
  for (const statement of own) await batch.add(statement)
  const findings = new FindingCollector()
  const fixes = new FixCounter()
  const quarantined: QuarantinedRow[] = []
  const sent = new Map<number, Digest>()
  const parts = new Map(changes.map((table) => [table, partsOf(table)]))
  for (const [{ table }, partsOfTable] of parts) {
    const known = sqlOf(sql, table.number)
    for (const part of partsOfTable()) await batch.add(byKeys(known.remove, known, part))
  }
  for (const [{ table }, own] of parts) {
    const known = sqlOf(sql, table.number)
    if (known.casting) for (const statement of known.casting.begin) await batch.add({ sql: statement })
    const into = known.casting
      ? `COPY ${known.casting.columns} FROM STDIN (FORMAT binary)`
      : copyInto(table.planned)
    for (const part of own()) {
      const read = await part.rows(async (buffer) => {
        await batch.add({ sql: into, data: [copyHeader, buffer, copyTrailer] })
      })
      findings.merge(read.findings)
      fixes.merge(read.fixes)
      quarantined.push(...read.quarantined)
      sent.set(table.number, addDigests(sent.get(table.number) ?? emptyDigest, read.digest))
    }
    if (known.casting) await batch.add({ sql: known.casting.insert })
  }
  const asked: { number: number; at: number }[] = []
  for (const [{ table }, own] of parts) {
    const known = sqlOf(sql, table.number)
    for (const part of own())
      asked.push({ number: table.number, at: await batch.add(byKeys(known.digest, known, part)) })
  }
  const answers = await batch.end()
  const received = new Map<number, Digest>()
  for (const { number, at } of asked) {
    const [[rows, sum] = []] = answers[at] ?? []
    const digest = addDigests(emptyDigest, { rows: Number(rows), sum: BigInt(sum ?? 0) })
    received.set(number, addDigests(received.get(number) ?? emptyDigest, digest))
  }
  return {
    tables: changes.map(({ table }) => ({
      table,
      sent: sent.get(table.number) ?? emptyDigest,
      received: received.get(table.number) ?? emptyDigest,
    })),
    findings: findings.findings,
    fixes: fixes.fixes,
    quarantined,
    first: answers.slice(own.length - first.length, own.length),
  }
}

/** Tables whose changed rows arrived otherwise than they were sent. */
export function unequal({ tables }: Pick<Applied, 'tables'>): AppliedChanges[] {
  return tables.filter(({ sent, received }) => !sameDigest(sent, received))
}

function partsOf(table: TableChanges): () => Iterable<ChangedPart> {
  if (table.keys > keptKeys) return () => table.keyParts()
  const parts = [...table.keyParts()]
  return () => parts
}

function byKeys(statement: string, { elements, arrays }: FollowedSql, { keys }: ChangedPart): BatchStatement {
  return { sql: statement, values: arraysOf(keys, elements), types: arrays }
}

function sqlOf(sql: ReadonlyMap<number, FollowedSql>, number: number): FollowedSql {
  const known = sql.get(number)
  if (!known) throw new Error(`table ${number} is not followed`)
  return known
}

/** Sends statements as many at a time as are small together. */
class Batches {
  readonly #client: PostgresClient
  #waiting: BatchStatement[] = []
  #bytes = 0
  readonly #answers: (string | null)[][][] = []
  #added = 0

  constructor(client: PostgresClient) {
    this.#client = client
  }

  /** Returns the place of its answer. */
  async add(statement: BatchStatement): Promise<number> {
    const { values = [], data = [] } = statement
    this.#waiting.push(statement)
    for (const piece of [...values, ...data]) this.#bytes += piece?.length ?? 0
    if (this.#bytes >= bytesPerBatch) await this.#send()
    return this.#added++
  }

  async end(): Promise<(string | null)[][][]> {
    await this.#send()
    return this.#answers
  }

  async #send(): Promise<void> {
    if (this.#waiting.length === 0) return
    const sent = this.#waiting
    this.#waiting = []
    this.#bytes = 0
    const answers = await runBatch(this.#client, sent)
    this.#answers.push(...answers.slice(0, sent.length))
  }
}
