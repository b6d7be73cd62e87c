import type { Ledger, LoadedChunk } from '../ledger/ledger.ts'
import { FindingCollector, FixCounter } from '../model/collectors.ts'
import type { CopiedTable } from '../model/copied-table.ts'
import { addDigests, emptyDigest, type Digest } from '../model/digest.ts'
import { plannedTable, type PlannedTable } from '../model/plan.ts'
import type { Chunk, RowsRead } from '../model/row.ts'
import type { Constraint } from '../model/table.ts'
import type { ProgressEvent } from '../model/progress.ts'
import type { RowStream } from '../source/source.ts'
import { readStanding } from '../target/postgres/constraints.ts'
import type { PostgresTarget } from '../target/postgres/postgres-target.ts'
import type { Violation } from '../target/target.ts'
import { analyzeJobs } from './analyze-jobs.ts'
import { castJob } from './cast.ts'
import { gathered } from './gathered.ts'
import { constraintJobs } from './constraint-jobs.ts'
import { runJobs, type Job } from './jobs.ts'
import { plan } from './plan.ts'
import type { MoveRequest } from './move-request.ts'
import { stage } from './stage.ts'
import { mustStop, type Run, type Step } from './step.ts'
import { takeSnapshot } from './take-snapshot.ts'

export interface Copied {
  tables: ReadonlyMap<PlannedTable, CopiedTable>
  /** Keys, indexes and checks that the rows violate. */
  violations: Violation[]
}

/** What one transaction loads of a table. */
interface Piece {
  table: PlannedTable
  chunk: Chunk
}

/** One whose rows were read into memory. */
interface SmallPiece extends Piece {
  rows: Buffer
  read: RowsRead
}

const smallBytes = 1024 * 1024

/** Copies all rows; builds keys and indexes, and takes digests and statistics, beside the loads. */
export const copy: Step<Copied, MoveRequest> = {
  name: 'copy',
  title: 'Copy rows, build keys and indexes, take digests and statistics',
  run: async (run) => {
    const copying = new Copying(run)
    copying.resume(await run.of(stage).ledger.loadedChunks())
    const { loaders, builder } = run.of(stage)
    await runJobs(await copying.jobs(), loaders, [builder])
    return {
      value: { tables: copying.tables, violations: copying.violations },
      findings: copying.findings.findings,
      fixes: copying.fixes.fixes,
      rows: [...copying.tables.values()].reduce((sum, { sent }) => sum + sent.rows, 0),
      bytes: copying.bytesSent,
    }
  },
}

/** One copying of all tables: its jobs, and what they have come to so far. */
class Copying {
  readonly tables = new Map<PlannedTable, CopiedTable>()
  readonly findings = new FindingCollector()
  readonly fixes = new FixCounter()
  readonly violations: Violation[] = []
  bytesSent = 0
  readonly #run: Run<MoveRequest>
  readonly #ledger: Ledger
  /** The largest tables first. */
  readonly #cut: { table: PlannedTable; chunks: Chunk[]; span: number }[]
  readonly #totalRows: number
  readonly #loadedChunks = new Set<string>()
  /** Of finished chunks. */
  #rows = 0
  #bytes = 0
  /** Chunks that are being read: several at a time. */
  readonly #underWay = new Set<RowStream>()

  constructor(run: Run<MoveRequest>) {
    this.#run = run
    this.#ledger = run.of(stage).ledger
    const snapshot = run.of(takeSnapshot)
    this.#cut = run
      .of(plan)
      .tables.map((table) => ({ table, ...snapshot.chunks(table) }))
      .toSorted((a, b) => b.span - a.span)
    this.#totalRows = this.#cut.reduce((sum, { span }) => sum + span, 0)
    for (const { table } of this.#cut) {
      this.tables.set(table, { sourceRows: 0, quarantined: 0, sent: emptyDigest, received: undefined })
    }
  }

  get quarantines(): boolean {
    return this.#run.request.options.onBadValue === 'quarantine'
  }

  get mustStop(): boolean {
    return mustStop(this.findings.findings, this.#run.request.options)
  }

  /** Takes over what an earlier attempt of this run loaded. */
  resume(loaded: LoadedChunk[]): void {
    for (const chunk of loaded) {
      const copied = [...this.tables].find(([{ source }]) => source.name === chunk.table)?.[1]
      if (!copied) continue
      this.#loadedChunks.add(JSON.stringify([chunk.table, chunk.low]))
      copied.sent = addDigests(copied.sent, chunk)
      copied.quarantined += chunk.quarantined
      copied.sourceRows += chunk.rows + chunk.quarantined
      this.findings.merge(chunk.findings)
      this.fixes.merge(chunk.fixes)
      this.#rows += chunk.rows
      this.#bytes += chunk.bytes
    }
  }

  /** Loads; and of each table or group, once it is loaded: digests, casts, keys, statistics. */
  async jobs(): Promise<Job[]> {
    const casts = await this.#ledger.casts()
    const loads: Job[] = []
    const digests: Job[] = []
    const castJobs: Job[] = []
    /** What must be done before a table’s keys, and then before its statistics. */
    const ready = new Map<PlannedTable, Job[]>()
    for (const group of gathered(this.#cut.map((cut) => ({ ...cut, rows: cut.span })))) {
      const tables = group.map(({ table }) => table)
      const own = this.#loadJobs(group.flatMap(({ table, chunks }) => this.#unloaded(table, chunks)))
      const digest = this.#digestJob(tables, own)
      loads.push(...own)
      digests.push(digest)
      for (const table of tables) {
        // Of a group both the digests and the keys lock several tables, in their own order: not beside each other.
        ready.set(table, tables.length > 1 ? [digest] : own)
        const pending = casts.filter((cast) => plannedTable({ tables: [table] }, cast))
        if (pending.length === 0) continue
        const cast = castJob(this.#ledger, table, this.tables.get(table) as CopiedTable, pending, this)
        const job = { ...cast, after: [digest] }
        castJobs.push(job)
        ready.set(table, [job])
      }
    }
    const keys = this.#run.of(stage).staging.constraints.filter(({ kind }) => kind !== 'foreign')
    const spans = new Map(this.#cut.map(({ table, span }) => [table, span]))
    const tableOf = (constraint: Constraint) => {
      const table = plannedTable(this.#run.of(plan), constraint)
      return table && { rows: spans.get(table) ?? 0, after: ready.get(table) ?? [] }
    }
    const standing = await readStanding(this.#run.of(stage).loaders[0].client, keys)
    const keyed = constraintJobs(this.#run, keys, tableOf, this, standing)
    for (const { job, constraints } of keyed)
      for (const constraint of constraints) {
        const table = plannedTable(this.#run.of(plan), constraint)
        if (table) ready.set(table, [...(ready.get(table) ?? []), job])
      }
    const statistics = analyzeJobs(
      [...this.tables.keys()],
      (table) => spans.get(table) ?? 0,
      this,
      (table) => ready.get(table) ?? [],
    )
    return [...loads, ...castJobs, ...keyed.map(({ job }) => job), ...digests, ...statistics]
  }

  #unloaded(table: PlannedTable, chunks: Chunk[]): Piece[] {
    return chunks
      .filter(({ low }) => !this.#loadedChunks.has(JSON.stringify([table.source.name, low])))
      .map((chunk) => ({ table, chunk }))
  }

  /** One job a chunk of a large table; one for all tables of a group. */
  #loadJobs(pieces: Piece[]): Job[] {
    const isGroup = new Set(pieces.map(({ table }) => table)).size > 1
    const parts = isGroup ? [pieces] : pieces.map((piece) => [piece])
    return parts.map((part) => ({
      name: part.map(({ table, chunk }) => `load ${table.source.name} ${chunk.low}`).join(', '),
      after: [],
      loads: true,
      run: (target) => (isGroup ? this.#loadGroup(target, part) : this.#load(target, part[0] as Piece)),
    }))
  }

  #digestJob(tables: PlannedTable[], after: Job[]): Job {
    return {
      name: `digest ${tables.map(({ source }) => source.name).join(', ')}`,
      after,
      run: async (target) => {
        if (this.mustStop) return
        const { verifies = true } = this.#run.request
        const copied = tables.map((table) => this.tables.get(table) as CopiedTable)
        const snapshot = this.#run.of(takeSnapshot)
        await Promise.all(
          tables.map((table, at) => snapshot.checkCount(table, (copied[at] as CopiedTable).sourceRows)),
        )
        const digests = verifies ? await digestsOf(target, tables) : copied.map(({ sent }) => sent)
        for (const [at, one] of copied.entries()) one.received = digests[at]
      },
    }
  }

  /** Loads the pieces of small tables together, as many at a time as are small in memory too. */
  async #loadGroup(target: PostgresTarget, pieces: Piece[]): Promise<void> {
    let small: SmallPiece[] = []
    const send = async () => {
      const records = small.map(({ table, chunk, read, rows: { length } }) =>
        this.#ledger.chunkSql({ table: table.source.name, chunk, read, bytes: length }),
      )
      if (small.length > 0) await target.loadTogether(small, records)
      for (const { table, read, rows } of small) {
        this.#bytes += rows.length
        this.bytesSent += rows.length
        this.#add(table, read)
      }
      this.#run.request.progress(this.#progress())
      small = []
    }
    for (const piece of pieces) {
      const read = await this.#readSmall(piece)
      if (read === undefined) await this.#load(target, piece)
      else small.push(read)
      if (small.reduce((sum, { rows }) => sum + rows.length, 0) >= smallBytes) await send()
    }
    await send()
  }

  /** Undefined where rows are large, bad or to be quarantined: such a piece is loaded by itself. */
  async #readSmall({ table, chunk }: Piece): Promise<SmallPiece | undefined> {
    const { options, signal } = this.#run.request
    signal.throwIfAborted()
    if (this.mustStop) return undefined
    const stream = this.#run.of(takeSnapshot).rows(table, options, chunk)
    const copies: Buffer[] = []
    let bytes = 0
    for await (const buffer of stream.buffers()) {
      bytes += buffer.length
      if (bytes <= smallBytes) copies.push(Buffer.from(buffer))
      stream.giveBack(buffer)
      if (bytes > smallBytes) return undefined
    }
    const { result: read } = stream
    if (stream.isBad || read.findings.length > 0 || read.quarantined.length > 0) return undefined
    return { table, chunk, read, rows: Buffer.concat(copies) }
  }

  /**
   * Loads a chunk in one transaction with the record of it. Once a value is bad and the run is to stop, rows are still
   * read, so that everything bad is named, but not sent.
   */
  async #load(target: PostgresTarget, { table, chunk }: Piece): Promise<void> {
    const { options, signal } = this.#run.request
    signal.throwIfAborted()
    const stream = this.#run.of(takeSnapshot).rows(table, options, chunk)
    this.#underWay.add(stream)
    const onlyReads = () => options.onBadValue === 'stop' && (stream.isBad || this.mustStop)
    if (onlyReads()) for await (const buffer of this.#watched(stream)) stream.giveBack(buffer)
    else {
      const { client } = target
      const bytes = await target.load(table, this.#unless(onlyReads, stream), (buffer) =>
        stream.giveBack(buffer),
      )
      if (onlyReads()) await client.query('ROLLBACK')
      else
        await this.#ledger.commitChunk(client, {
          table: table.source.name,
          chunk,
          read: stream.result,
          bytes,
        })
    }
    this.#underWay.delete(stream)
    this.#add(table, stream.result)
  }

  #add(table: PlannedTable, result: RowsRead): void {
    const copied = this.tables.get(table) as CopiedTable
    copied.sent = addDigests(copied.sent, result.digest)
    copied.quarantined += result.quarantined.length
    copied.sourceRows += result.rowsRead
    this.findings.merge(result.findings)
    this.fixes.merge(result.fixes)
    this.#rows += result.digest.rows
  }

  /** The buffers of a stream for as long as they are to be sent; the rest is only read. */
  async *#unless(onlyReads: () => boolean, stream: RowStream): AsyncGenerator<Buffer> {
    for await (const buffer of this.#watched(stream)) {
      if (onlyReads()) stream.giveBack(buffer)
      else yield buffer
    }
  }

  async *#watched(stream: RowStream): AsyncGenerator<Buffer> {
    for await (const buffer of stream.buffers()) {
      this.#run.request.signal.throwIfAborted()
      this.#bytes += buffer.length
      this.bytesSent += buffer.length
      this.#run.request.progress(this.#progress())
      yield buffer
    }
  }

  #progress(): ProgressEvent {
    return {
      step: 'copy',
      rows: [...this.#underWay].reduce((sum, { rows }) => sum + rows, this.#rows),
      bytes: this.#bytes,
      totalRows: this.#totalRows,
    }
  }
}

/** Of a group of small tables, or of one of any size. */
async function digestsOf(target: PostgresTarget, tables: PlannedTable[]): Promise<Digest[]> {
  const [first] = tables
  return first && tables.length === 1 ? [await target.digest(first)] : target.digests(tables)
}
