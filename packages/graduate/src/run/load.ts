import { quoteIdentifier, type PostgresClient } from '@outgrow/databases'
import { addDigests, emptyDigest, RowHasher } from '../copy/digest.ts'
import { hashRows, sendRows } from '../copy/copy-streams.ts'
import type { RowRange } from '../copy/table-encoder.ts'
import type { QuarantinedRow } from '../copy/findings.ts'
import type { Rendered } from '../files/rendered.ts'
import type { PlannedTable } from '../plan.ts'
import type { Finding, FixReport } from '../report.ts'
import { qualified } from '../target/structure.ts'
import { stagedName } from '../target/staging.ts'
import { chunksOf } from '../source/chunks.ts'
import type { ReadResult } from '../source/reader-messages.ts'
import type { Job } from './jobs.ts'
import { mustStop, type Move, type ProgressEvent, type TableState } from './move.ts'

export function copyColumns(table: PlannedTable): string {
  return table.columns.map(({ target }) => quoteIdentifier(target.name)).join(', ')
}

interface FinishedChunk {
  table_name: string
  low: string
  rows: string
  hash_sum: string
  bytes: string
  quarantined: string
  findings: Finding[]
  fixes: FixReport[]
}

/** Chunks that an earlier attempt of this run finished. */
async function finishedChunks(client: PostgresClient, schema: string): Promise<FinishedChunk[]> {
  const { rows } = await client.query<FinishedChunk>(
    `SELECT * FROM ${quoteIdentifier(schema)}._outgrow_chunk`,
  )
  return rows
}

export interface LoadJobs {
  /** By table: done when all its rows are in the target. */
  loaded: Map<PlannedTable, Job[]>
  /** By table: reads back what the target got. */
  readBack: Map<PlannedTable, Job>
  chunks: Job[]
}

/** The load as jobs: chunks of the largest tables first, and one reading back of each table. */
export async function loadJobs(move: Move): Promise<LoadJobs> {
  const { staging, snapshot, plan } = move
  const schema = stagedName(staging.run, staging.home, undefined)
  const finished = await finishedChunks(move.clients[0] as PostgresClient, schema)
  const tables = plan.tables
    .map((table) => ({ table, ...chunksOf(snapshot.database, table) }))
    .toSorted((a, b) => b.span - a.span)
  const totals: Totals = {
    rows: 0,
    bytes: 0,
    totalRows: tables.reduce((sum, { span }) => sum + span, 0),
    underWay: new Set(),
  }
  const jobs: Job[] = []
  const loaded = new Map<PlannedTable, Job[]>()
  for (const { table, ranges } of tables) {
    const state: TableState = { sourceRows: 0, quarantined: 0, sent: emptyDigest, received: undefined }
    move.tables.set(table, state)
    const chunks: Job[] = []
    for (const range of move.rendered ? [undefined] : ranges) {
      const low = range === undefined ? '' : String(range.low)
      const known = finished.find((chunk) => chunk.table_name === table.source.name && chunk.low === low)
      if (known) {
        resumeChunk(move, state, known, totals)
        continue
      }
      chunks.push({
        name: `load ${table.source.name} ${low}`,
        after: [],
        loads: true,
        run: (client) =>
          move.rendered
            ? loadRendered(move, client, table, state, move.rendered, schema, totals)
            : loadChunk(move, client, table, state, range, schema, totals),
      })
    }
    jobs.push(...chunks)
    loaded.set(table, chunks)
  }
  const readBack = new Map<PlannedTable, Job>()
  for (const { table } of tables) {
    const job: Job = {
      name: `read back ${table.source.name}`,
      after: loaded.get(table) ?? [],
      run: async (client) => {
        if (mustStop(move)) return
        const state = move.tables.get(table) as TableState
        state.received ??= await digestOfTarget(move, client, table)
      },
    }
    readBack.set(table, job)
  }
  return { chunks: jobs, loaded, readBack }
}

/** One pass over what the target holds of a table's planned columns. */
export async function digestOfTarget(
  move: Pick<Move, 'hash'>,
  client: PostgresClient,
  table: PlannedTable,
  onRows?: (rows: number) => void,
): Promise<TableState['sent']> {
  const hasher = new RowHasher(move.hash)
  await hashRows(
    client,
    `COPY ${qualified(table.target)} (${copyColumns(table)}) TO STDOUT (FORMAT binary)`,
    hasher,
    onRows && (() => onRows(hasher.digest.rows)),
  )
  return hasher.digest
}

interface Totals {
  /** Of finished chunks. */
  rows: number
  bytes: number
  totalRows: number
  /** Chunks that are being read: several at a time. */
  underWay: Set<{ rows: number }>
}

function progressOf({ rows, bytes, totalRows, underWay }: Totals): ProgressEvent {
  const now = [...underWay].reduce((sum, stream) => sum + stream.rows, rows)
  return { step: 'copy', rows: now, bytes, totalRows }
}

function resumeChunk(move: Move, state: TableState, chunk: FinishedChunk, totals: Totals): void {
  state.sent = addDigests(state.sent, { rows: Number(chunk.rows), sum: BigInt(chunk.hash_sum) })
  state.quarantined += Number(chunk.quarantined)
  state.sourceRows += Number(chunk.rows) + Number(chunk.quarantined)
  move.findings.merge(chunk.findings)
  move.fixes.merge(chunk.fixes)
  totals.rows += Number(chunk.rows)
  totals.bytes += Number(chunk.bytes)
}

async function loadChunk(
  move: Move,
  client: PostgresClient,
  table: PlannedTable,
  state: TableState,
  range: RowRange,
  schema: string,
  totals: Totals,
): Promise<void> {
  move.signal.throwIfAborted()
  const stream = move.reader.rows(table, move.options, range)
  totals.underWay.add(stream)
  const stops = move.options.onBadValue === 'stop'
  /** Once a value is bad and the run is to stop, rows are still read, so that everything bad is named, but not sent. */
  const scanOnly = () => stops && (stream.isBad || mustStop(move))
  const report = (buffer: Buffer) => {
    totals.bytes += buffer.length
    move.bytesSent += buffer.length
    move.progress(progressOf(totals))
  }
  let bytes = 0
  if (scanOnly()) for await (const buffer of stream.buffers()) drop(buffer)
  else {
    await client.query('BEGIN')
    bytes = await sendRows(
      client,
      `COPY ${qualified(table.target)} (${copyColumns(table)}) FROM STDIN (FORMAT binary)`,
      sent(),
      (buffer) => stream.giveBack(buffer),
    )
    if (scanOnly()) await client.query('ROLLBACK')
    else await recordChunk(client, schema, table, range, stream.result, bytes)
  }
  const { digest, quarantined, rowsRead, findings, fixes } = stream.result
  state.sent = addDigests(state.sent, digest)
  state.quarantined += quarantined.length
  state.sourceRows += rowsRead
  move.findings.merge(findings)
  move.fixes.merge(fixes)
  totals.underWay.delete(stream)
  totals.rows += digest.rows

  async function* sent(): AsyncGenerator<Buffer> {
    for await (const buffer of stream.buffers()) {
      if (scanOnly()) drop(buffer)
      else {
        move.signal.throwIfAborted()
        report(buffer)
        yield buffer
      }
    }
  }

  function drop(buffer: Buffer): void {
    move.signal.throwIfAborted()
    report(buffer)
    stream.giveBack(buffer)
  }
}

/** Commits a chunk together with the record of it, so that a resumed run knows it. */
async function recordChunk(
  client: PostgresClient,
  schema: string,
  table: PlannedTable,
  range: RowRange,
  { digest, quarantined, findings, fixes }: ReadResult,
  bytes: number,
): Promise<void> {
  await storeQuarantined(client, schema, quarantined)
  await client.query(
    `INSERT INTO ${quoteIdentifier(schema)}._outgrow_chunk VALUES ($1, $2, $3, $4, $5, $6, $7, $8)`,
    [
      table.source.name,
      range === undefined ? '' : String(range.low),
      digest.rows,
      String(digest.sum),
      bytes,
      quarantined.length,
      JSON.stringify(findings),
      JSON.stringify(fixes),
    ],
  )
  await client.query('COMMIT')
}

/** Loads a table from the file that `transform` wrote. */
async function loadRendered(
  move: Move,
  client: PostgresClient,
  table: PlannedTable,
  state: TableState,
  rendered: Rendered,
  schema: string,
  totals: Totals,
): Promise<void> {
  const known = rendered.tableNamed(table.source.name)
  const quarantined = rendered.quarantined(table.source.name)
  await client.query('BEGIN')
  const names = known.columns.map(quoteIdentifier).join(', ')
  const bytes = await sendRows(
    client,
    `COPY ${qualified(table.target)} (${names}) FROM STDIN (FORMAT binary)`,
    rendered.buffers(known),
  )
  await storeQuarantined(client, schema, quarantined)
  await client.query(
    `INSERT INTO ${quoteIdentifier(schema)}._outgrow_chunk VALUES ($1, '', $2, $3, $4, $5, '[]', '[]')`,
    [known.table, known.rows, known.hashSum, bytes, quarantined.length],
  )
  await client.query('COMMIT')
  state.sent = { rows: known.rows, sum: BigInt(known.hashSum) }
  state.quarantined = quarantined.length
  state.sourceRows = known.rowsRead
  move.bytesSent += bytes
  totals.rows += known.rows
  totals.bytes += bytes
  move.progress(progressOf(totals))
}

async function storeQuarantined(
  client: PostgresClient,
  schema: string,
  rows: QuarantinedRow[],
): Promise<void> {
  for (let at = 0; at < rows.length; at += 500) {
    const part = rows.slice(at, at + 500)
    await client.query(
      `INSERT INTO ${quoteIdentifier(schema)}._outgrow_quarantine (table_name, key, column_name, reason, row)
       SELECT * FROM unnest($1::text[], $2::json[], $3::text[], $4::text[], $5::json[])`,
      [
        part.map(({ table }) => table),
        part.map(({ key }) => JSON.stringify(key)),
        part.map(({ column }) => column),
        part.map(({ reason }) => reason),
        part.map(({ row }) => JSON.stringify(row)),
      ],
    )
  }
}
