import { existsSync, statSync } from 'node:fs'
import { setImmediate } from 'node:timers/promises'
import {
  openSqliteForLock,
  openSqliteReadonly,
  parseSqliteSource,
  quoteIdentifier,
  traceRemover,
  type SqliteDatabase,
} from '@outgrow/databases'
import { Failure, messageOf } from '@outgrow/kit'
import type { OpenSnapshot, Snapshot, Source } from '../source.ts'
import { chunksOf } from './chunks.ts'
import { readCounters } from './counters.ts'
import { RowEncoder } from './encode-rows.ts'
import { readHealth } from './health.ts'
import { readSourceObjects } from './objects.ts'
import { PageReading, type ReaderChoice } from './pages/page-reading.ts'
import { ReaderThreads } from './reader-threads.ts'
import { readTables } from './tables.ts'
import { violationsIn } from './violations.ts'

/** Runs what begins the read transactions, such as while nobody else can write. */
type WhileBeginning = <Result>(begin: () => Promise<Result>) => Promise<Result>

interface SqliteSourceOptions {
  /** How many threads read rows, beside this one. */
  threads: number
  /** Where writers never rest, holds them off for the moment in which all transactions begin. */
  during: WhileBeginning
  /** What reads the rows. Whoever compares leaves it at the driver: it is not to share the reader of the move. */
  reader: ReaderChoice
}

/** An SQLite file, its `-wal` file included. */
export function sqliteSource(
  url: string,
  { threads = 1, during = (begin) => begin(), reader = 'driver' }: Partial<SqliteSourceOptions> = {},
): Source {
  const { path } = parseSqliteSource(url)
  return { open: (signal) => openSnapshot(path, { threads, during, reader }, signal) }
}

const maxTries = 200

/** Begins read transactions that see the same state: one here, one in each thread. */
async function openSnapshot(
  path: string,
  { threads, during, reader }: SqliteSourceOptions,
  signal: AbortSignal,
): Promise<OpenSnapshot> {
  const pages = new PageReading(path, reader) // before SQLite opens the file, and disposed of after it has closed it
  const traces = traceRemover(path)
  const [witness, database] = openBoth(path, pages)
  const readers = new ReaderThreads(path, threads, signal)
  const close = async () => {
    database.close()
    witness.close()
    await readers.close()
    pages[Symbol.dispose]()
    traces[Symbol.dispose]()
  }
  const begin = async (): Promise<OpenSnapshot> => {
    for (let attempt = 1; ; attempt++) {
      const versionAtStart = dataVersion(witness)
      database.exec('BEGIN')
      database.prepare('SELECT count(*) FROM sqlite_schema').get()
      await readers.begin()
      const position = positionOf(path)
      // A commit in between would have the transactions, or the position, speak of different states.
      if (dataVersion(witness) === versionAtStart) {
        pages.begin(database, witness)
        return {
          path,
          position,
          ...reading(path, database, readers, pages, signal),
          hasAdvanced: () => underWriteLock(path, () => dataVersion(witness) !== versionAtStart),
          rowsSince: (tables) => Math.max(0, countRows(witness, tables) - countRows(database, tables)),
          [Symbol.asyncDispose]: close,
        }
      }
      database.exec('ROLLBACK')
      if (attempt === maxTries) throw neverQuiet(path)
    }
  }
  try {
    await readers.begin() // the threads have started by then
    return await during(begin)
  } catch (error) {
    await close()
    throw error
  }
}

/** What is wrong with the file is said here, not in a thread. */
function openBoth(path: string, pages: PageReading): [SqliteDatabase, SqliteDatabase] {
  try {
    return [openSqliteReadonly(path), openSqliteReadonly(path)]
  } catch (error) {
    pages[Symbol.dispose]()
    throw error
  }
}

/** What a snapshot answers from its read transactions. */
function reading(
  path: string,
  database: SqliteDatabase,
  readers: ReaderThreads,
  pages: PageReading,
  signal: AbortSignal,
): Omit<Snapshot, 'path' | 'position' | 'hasAdvanced' | 'rowsSince'> {
  let tables: ReturnType<Snapshot['tables']> | undefined
  const knownTables = () => (tables ??= readTables(database))
  // A table without a rowid is counted for it.
  const cuts = new Map<string, ReturnType<Snapshot['chunks']>>()
  const chunks: Snapshot['chunks'] = (table) => {
    const known = cuts.get(table.source.name) ?? chunksOf(database, table)
    cuts.set(table.source.name, known)
    return known
  }
  return {
    sizeBytes: statSync(path).size,
    health: () => readHealth(database, path),
    tables: knownTables,
    objects: () => readSourceObjects(database, knownTables()),
    chunks,
    rows: (table, options, { range }) => readers.rows(table, options, range, pages.layoutOf(table)),
    checkCount: (table, rowsRead) => readers.checkCount(table, rowsRead),
    digest: (table, options, onRows) => readers.digest(table, options, chunks(table).chunks, onRows),
    eachRow: async (table, options, onRow) => {
      const encoder = new RowEncoder(database, table, options)
      encoder.watch = (row, context) => onRow(row, () => context.key())
      for (const { range } of chunks(table).chunks) {
        for (const buffer of encoder.buffers(range)) encoder.giveBack(buffer)
        encoder.quarantined = []
        await setImmediate() // this thread is everybody's: whoever wants to stop is heard
        signal.throwIfAborted()
      }
    },
    readerNotes: (planned) => pages.notes(planned),
    counters: () => readCounters(database),
    violations: (planned, constraints, options) => violationsIn(database, planned, constraints, options),
  }
}

function neverQuiet(path: string): Failure {
  return new Failure({
    code: 'OUTGROW_SOURCE_BUSY',
    message: `${path} changed during each of ${maxTries} attempts to take a snapshot.`,
    fix: 'Stop the application, or move a copy made with VACUUM INTO.',
  })
}

function countRows(database: SqliteDatabase, tables: string[]): number {
  return tables.reduce((sum, table) => {
    const known = database.prepare("SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = ?").get(table)
    if (!known) return sum // dropped since
    return (
      sum +
      (database
        .prepare(`SELECT count(*) FROM ${quoteIdentifier(table)}`)
        .pluck()
        .get() as number)
    )
  }, 0)
}

function dataVersion(database: SqliteDatabase): number {
  // The version is refreshed by a read.
  database.prepare('SELECT count(*) FROM sqlite_schema').get()
  return database.pragma('data_version', { simple: true }) as number
}

function underWriteLock(path: string, look: () => boolean): boolean {
  let writer: SqliteDatabase
  try {
    writer = openSqliteForLock(path)
  } catch {
    return look() // a file that may not be written has no writer in this process' reach
  }
  try {
    writer.exec('BEGIN IMMEDIATE')
  } catch (cause) {
    writer.close()
    if ((cause as { code?: string }).code === 'SQLITE_READONLY') return look()
    throw new Failure({
      code: 'OUTGROW_SOURCE_BUSY',
      message: `A writer holds the lock on ${path}: ${messageOf(cause)}`,
      why: 'Rows written after the snapshot can be detected only while nothing writes.',
      fix: 'Stop the application and run the command again with --resume.',
      cause,
    })
  }
  try {
    return look()
  } finally {
    writer.exec('ROLLBACK')
    writer.close()
  }
}

/** Sizes and modification times of the file and its log: any commit changes one of them. */
function positionOf(path: string): string {
  return [path, `${path}-wal`]
    .map((file) => {
      if (!existsSync(file)) return 'none'
      const { size, mtimeNs } = statSync(file, { bigint: true })
      return size === 0n ? 'none' : `${size}@${mtimeNs}`
    })
    .join(' ')
}
