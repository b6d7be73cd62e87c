import { closeSync, openSync, readFileSync, writeSync } from 'node:fs'
import { Choices, makeSqlite } from '@outgrow/testing'
import { openSqliteReadonly, type SqliteDatabase } from '@outgrow/databases'
import { Failure } from '@outgrow/kit'
import { expect, test } from 'vitest'
import { strictOptions } from '../src/model/options.ts'
import type { PlannedTable } from '../src/model/plan.ts'
import type { RowRange } from '../src/model/row.ts'
import { chunksOf } from '../src/source/sqlite/chunks.ts'
import { RowEncoder } from '../src/source/sqlite/encode-rows.ts'
import { PageEncoder } from '../src/source/sqlite/pages/encode-pages.ts'
import { FileDescriptor } from '../src/source/sqlite/pages/static-file.ts'
import { layoutOf } from '../src/source/sqlite/pages/table-layout.ts'
import { checkPages, countRows, holdAgainst } from '../src/source/sqlite/table-check.ts'
import type { TableEncoder } from '../src/source/sqlite/table-encoder.ts'
import { readTables } from '../src/source/sqlite/tables.ts'
import { targetColumn } from './page-reader.ts'

const damagesPerFile = 50 * Number(process.env.OUTGROW_PROPERTY_RUNS ?? 3)
const firstSeed = Number(process.env.OUTGROW_SEED ?? Date.now() % 1_000_000)
const pageSizes = [512, 1024, 2048]

/** Tables with and without rowids, rows of many sizes, room that deleted rows left, an index, and a page size of its own. */
function makeFile(choices: Choices, pageSize: number): string {
  const longest = choices.of([20, 60, 2 * pageSize])
  const series = (rows: number) =>
    `WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ${rows})`
  const text = `printf('%d %.*c', i, (i * ${1 + choices.whole(1000)}) % ${longest}, 'x')`
  const rows = Math.round((24 * pageSize) / (longest + 60)) + 5
  return makeSqlite(
    `PRAGMA page_size = ${pageSize};
    CREATE TABLE t (id INTEGER PRIMARY KEY, a TEXT NOT NULL, b);
    CREATE INDEX t_a ON t (a);
    CREATE TABLE w (k TEXT PRIMARY KEY, v) WITHOUT ROWID;
    CREATE TABLE u (a, b);
    INSERT INTO t ${series(rows)} SELECT i * ${1 + choices.whole(200)}, ${text}, i % 7 FROM n;
    INSERT INTO u ${series(rows)} SELECT ${text}, i * 1.5 FROM n;
    INSERT INTO w ${series(rows)} SELECT ${text}, i FROM n;
    DELETE FROM t WHERE id % 5 = 1; DELETE FROM w WHERE v % 9 = 1; DELETE FROM u WHERE rowid % 4 < ${choices.whole(3)}`,
  )
}

type Reader = 'driver' | 'pages'

interface TableRead {
  rowsRead: number
  rows: string[]
}

/** Reads all tables as a snapshot does. Undefined: a table's place or columns are not what they were. */
function readAll(
  path: string,
  reader: Reader,
  expectedSchema: string | undefined,
): Map<string, TableRead> | undefined {
  using descriptor = new FileDescriptor(path)
  const [database, other] = [openSqliteReadonly(path), openSqliteReadonly(path)]
  try {
    database.exec('BEGIN')
    const sources = readTables(database)
    if (expectedSchema !== undefined && schemaOf(database) !== expectedSchema) return undefined
    const state = descriptor.look(path, database, other)
    if ('reason' in state) return undefined
    const read = new Map<string, TableRead>()
    for (const source of sources) {
      const columns = source.columns.map(({ name }) => ({
        source: name,
        target: targetColumn(name === 'id' ? 'int8' : 'text'),
        castTo: undefined,
      }))
      const target = { schema: '', name: source.name, columns: [] }
      const table: PlannedTable = { source, columns, target, key: [] }
      const layout = reader === 'pages' ? layoutOf(database, state.file, table) : ''
      if (typeof layout === 'string') checkPages(database, source.name)
      const of = (range: RowRange): [TableEncoder, Generator<Buffer>] => {
        if (typeof layout !== 'string' && range) {
          const encoder = new PageEncoder(database, table, options, layout)
          return [encoder, encoder.buffers(range)]
        }
        const encoder = new RowEncoder(database, table, options)
        return [encoder, encoder.buffers(range)]
      }
      read.set(source.name, readTable(database, table, of))
    }
    return read
  } finally {
    database.close()
    other.close()
  }
}

const options = { ...strictOptions, onBadValue: 'quarantine' as const }

function readTable(
  database: SqliteDatabase,
  table: PlannedTable,
  of: (range: RowRange) => [TableEncoder, Generator<Buffer>],
): TableRead {
  const read: TableRead = { rowsRead: 0, rows: [] }
  const { chunks } = chunksOf(database, table)
  // Cut in more ranges than so few rows would be, as those of a larger table are.
  for (const range of chunks.flatMap((chunk) => cut(chunk.range))) {
    const [encoder, buffers] = of(range)
    for (const buffer of buffers) {
      read.rows.push(...rowsIn(buffer))
      encoder.giveBack(buffer)
    }
    read.rowsRead += encoder.result.rowsRead
  }
  if (read.rowsRead === 0) checkPages(database, table.source.name)
  holdAgainst(countRows(database, table), table, read.rowsRead)
  return read
}

function cut(range: RowRange): RowRange[] {
  if (!range || range.high - range.low < 10n) return [range]
  const middle = range.low + (range.high - range.low) / 3n
  return [
    { low: range.low, high: middle },
    { low: middle + 1n, high: range.high },
  ]
}

/** Rows of binary COPY, each as text. */
function rowsIn(buffer: Buffer): string[] {
  const rows: string[] = []
  for (let at = 0; at < buffer.length;) {
    const start = at
    const fields = buffer.readInt16BE(at)
    at += 2
    for (let field = 0; field < fields; field++) at += 4 + Math.max(0, buffer.readInt32BE(at))
    rows.push(buffer.toString('latin1', start, at))
  }
  return rows
}

function schemaOf(database: SqliteDatabase): string {
  return JSON.stringify(database.prepare('SELECT * FROM sqlite_schema ORDER BY rowid').raw().all())
}

/** Changes one byte: mostly one that says where rows are, and never the file's header. */
function damageAt(bytes: Buffer, pageSize: number, choices: Choices): { at: number; to: number } {
  const pages = Array.from({ length: bytes.length / pageSize }, (_, page) => page * pageSize || 100)
  const ofTrees = pages.filter((start) => [2, 5, 10, 13].includes(bytes[start] as number))
  const inForm = choices.often(0.7)
  const start = choices.of(inForm ? ofTrees : pages)
  const length = pageSize - (start % pageSize)
  const formBytes = Math.min(length, 12 + 2 * bytes.readUInt16BE(start + 3))
  const at = start + choices.whole(inForm ? formBytes : length)
  const was = bytes[at] as number
  const to = choices.of([was ^ (1 << choices.whole(8)), was + 1, was - 1, 0, 255, choices.whole(256)]) & 255
  return { at, to: to === was ? was ^ 1 : to }
}

/** What was lost without a word: rows, or more of them changed than the one that the byte belongs to. */
function lossOf(before: Map<string, TableRead>, after: Map<string, TableRead>): string | undefined {
  let changed = 0
  for (const [name, { rowsRead, rows }] of before) {
    const now = after.get(name)
    if (now?.rowsRead !== rowsRead) return `${name} has ${now?.rowsRead} rows of ${rowsRead}`
    const left = Map.groupBy(now.rows, (row) => row)
    changed += rows.filter((row) => left.get(row)?.pop() === undefined).length
  }
  return changed > 1 ? `${changed} rows were changed` : undefined
}

/** A page that belongs to another table or index too: whoever looks at one table cannot see that; `inspect` looks at all. */
function leadsIntoAnotherTree(path: string): boolean {
  const database = openSqliteReadonly(path)
  const found = database.prepare('PRAGMA integrity_check').pluck().all().join('\n')
  database.close()
  return /2nd reference to page/.test(found)
}

function isCoded(error: unknown): boolean {
  const { code } = error as { code?: string }
  return error instanceof Failure || code?.startsWith('SQLITE_CORRUPT') === true // explained where a flow ends
}

test.each<Reader>(['driver', 'pages'])(
  `of a file with a damaged byte the %s gives every row, or a coded failure (seed ${firstSeed})`,
  (reader) => {
    const counts = { whole: 0, refused: 0, 'other schema': 0, 'only the whole file tells': 0 }
    const wrong: string[] = []
    for (const [at, pageSize] of pageSizes.entries()) {
      const choices = new Choices(firstSeed + at)
      const path = makeFile(choices, pageSize)
      const bytes = readFileSync(path)
      const database = openSqliteReadonly(path)
      const schema = schemaOf(database)
      database.close()
      const before = readAll(path, reader, undefined) as Map<string, TableRead>
      const file = openSync(path, 'r+')
      for (let round = 0; round < damagesPerFile; round++) {
        const { at: place, to } = damageAt(bytes, pageSize, choices)
        writeSync(file, Buffer.of(to), 0, 1, place)
        try {
          const after = readAll(path, reader, schema)
          const loss = after && lossOf(before, after)
          if (loss !== undefined && leadsIntoAnotherTree(path)) counts['only the whole file tells']++
          else if (loss !== undefined)
            wrong.push(
              `page size ${pageSize}, byte ${place % pageSize} of page ${Math.floor(place / pageSize) + 1} from ${bytes[place]} to ${to}: ${loss}`,
            )
          else counts[after ? 'whole' : 'other schema']++
        } catch (error) {
          if (isCoded(error)) counts.refused++
          else wrong.push(`byte ${place} to ${to}: ${String(error)}`)
        } finally {
          writeSync(file, bytes, place, 1, place)
        }
      }
      closeSync(file)
    }
    console.info(`${reader}: ${pageSizes.length * damagesPerFile} damaged bytes`, counts)
    expect(wrong).toEqual([])
    expect(counts.whole).toBeGreaterThan(0)
    expect(counts.refused).toBeGreaterThan(0)
  },
  600_000,
)
