import { closeSync, openSync, readFileSync, readSync, writeFileSync, writeSync } from 'node:fs'
import { openSqlite, openSqliteForLock, openSqliteReadonly } from '@outgrow/databases'
import { makeSqlite } from '@outgrow/testing'
import { expect, test } from 'vitest'
import { strictOptions } from '../src/model/options.ts'
import type { PlannedTable } from '../src/model/plan.ts'
import type { Snapshot } from '../src/source/source.ts'
import { FileDescriptor } from '../src/source/sqlite/pages/static-file.ts'
import { sqliteSource } from '../src/source/sqlite/snapshot.ts'
import { emptyTarget, move, sqliteSchema, verifyMove } from './move.ts'
import { targetColumn } from './page-reader.ts'

const schema = sqliteSchema(`model Note {
  id   Int    @id
  text String
}`)
const ddl = 'CREATE TABLE "Note" (id INTEGER NOT NULL PRIMARY KEY, text TEXT NOT NULL);'
const rows = (from: number, to: number) =>
  `INSERT INTO "Note" WITH RECURSIVE n(i) AS (SELECT ${from} UNION ALL SELECT i + 1 FROM n WHERE i < ${to}) SELECT i, 'note ' || i FROM n`

function planned(snapshot: Snapshot): PlannedTable {
  const [source] = snapshot.tables()
  if (source === undefined) throw new Error('no table')
  const columns = source.columns.map(({ name, declaredType }) => ({
    source: name,
    target: targetColumn(declaredType === 'TEXT' ? 'text' : 'int4'),
    castTo: undefined,
  }))
  return { source, columns, target: { schema: '', name: source.name, columns: [] }, key: ['id'] }
}

async function readAll(snapshot: Snapshot, table: PlannedTable): Promise<{ rows: number; sum: bigint }> {
  let [count, sum] = [0, 0n]
  for (const chunk of snapshot.chunks(table).chunks) {
    const stream = snapshot.rows(table, strictOptions, chunk)
    for await (const buffer of stream.buffers()) stream.giveBack(buffer)
    count += stream.result.digest.rows
    sum = BigInt.asUintN(64, sum + stream.result.digest.sum)
  }
  return { rows: count, sum }
}

test('a file that stands still is moved from its pages', async () => {
  const from = makeSqlite(ddl + rows(1, 5000))
  const target = await emptyTarget()
  const { tables, notes } = await move(from, target.url, schema, {}, { reader: 'pages' })
  expect(tables).toMatchObject([{ targetRows: 5000, digestMatch: true }])
  expect(notes.join()).not.toContain('driver')
  expect((await verifyMove(from, target.url, schema)).findings).toEqual([])
})

test('changes that are only in the -wal are moved through the driver; pages are refused, and nothing is changed', async () => {
  const from = makeSqlite(ddl + rows(1, 100))
  const writer = openSqlite(from)
  writer.exec(rows(101, 200))
  try {
    const target = await emptyTarget()
    await expect(move(from, target.url, schema, {}, { reader: 'pages' })).rejects.toMatchObject({
      code: 'OUTGROW_READER_REFUSED',
      message: expect.stringContaining('-wal'),
    })
    expect(await target.query("SELECT 1 FROM pg_tables WHERE schemaname !~ '^(pg_|information)'")).toEqual([])
    const { tables, notes } = await move(from, target.url, schema)
    expect(tables).toMatchObject([{ targetRows: 200, digestMatch: true }])
    expect(notes).toContainEqual(expect.stringContaining('not from the file’s pages: its -wal'))
  } finally {
    writer.close()
  }
})

test.each(['PASSIVE', 'FULL', 'RESTART', 'TRUNCATE'])(
  'pages are those of the snapshot, whatever a writer commits and checkpoints meanwhile (%s)',
  async (checkpoint) => {
    const from = makeSqlite(ddl + rows(1, 20_000))
    const writer = openSqlite(from, 0)
    writer.exec('UPDATE "Note" SET text = \'changed\' WHERE id < 100')
    writer.pragma('wal_checkpoint(PASSIVE)') // the log has frames, and all of them are in the file
    const before = readFileSync(from)
    {
      await using snapshot = await sqliteSource(from, { reader: 'pages' }).open(new AbortController().signal)
      const table = planned(snapshot)
      for (let round = 0; round < 5; round++) {
        writer.exec(`UPDATE "Note" SET text = 'other ' || id || ' ${round}' WHERE id % 7 = ${round}`)
        writer.exec(
          `DELETE FROM "Note" WHERE id > ${19_000 - round}; ${rows(30_000 + 500 * round, 30_400 + 500 * round)}`,
        )
        writer.pragma(`wal_checkpoint(${checkpoint})`)
      }
      expect(readFileSync(from).equals(before)).toBe(true)
      const { rows: count, sum } = await readAll(snapshot, table)
      const byDriver = await snapshot.digest(table, strictOptions)
      expect({ rows: count, sum }).toEqual(byDriver.digest)
      expect(count).toBe(20_000)
      expect(snapshot.readerNotes([table])).toEqual([])
    }
    writer.pragma('wal_checkpoint(TRUNCATE)')
    expect(readFileSync(from).equals(before)).toBe(false)
    writer.close()
  },
)

test('in another journal mode nobody writes into the file while its pages are read, and then they may', async () => {
  const from = makeSqlite(ddl + rows(1, 1000))
  const writer = openSqliteForLock(from, 0)
  writer.pragma('journal_mode = DELETE')
  {
    await using snapshot = await sqliteSource(from, { reader: 'pages' }).open(new AbortController().signal)
    const table = planned(snapshot)
    expect(() => writer.exec('DELETE FROM "Note"')).toThrow('locked')
    expect((await readAll(snapshot, table)).rows).toBe(1000)
  }
  writer.exec('DELETE FROM "Note"')
  writer.close()
})

test('where SQLite cannot look into the -wal, pages are not read: a writer is just committing, or it may not write there', () => {
  const from = makeSqlite(ddl + rows(1, 10))
  const writer = openSqlite(from)
  using descriptor = new FileDescriptor(from)
  const [database, other] = [openSqliteReadonly(from), openSqliteReadonly(from)]
  const look = () => {
    const state = descriptor.look(from, database, other)
    return 'reason' in state ? state.reason : 'still'
  }
  const unclear = 'SQLite does not say whether its -wal holds changes that are not in the file itself yet'
  const index = openSync(`${from}-shm`, 'r+') // closed last: closing it drops SQLite's locks
  try {
    writer.exec(`${rows(11, 20)}; BEGIN IMMEDIATE`)
    database.exec('BEGIN')
    expect(database.prepare('SELECT count(*) FROM "Note"').pluck().get()).toBe(20)
    expect(look()).toContain('-wal holds changes')
    // The header of the index is written twice, and until then both differ.
    const [byte, counter] = [Buffer.alloc(1), 8]
    readSync(index, byte, 0, 1, counter)
    writeSync(index, Buffer.from([(byte[0] as number) ^ 1]), 0, 1, counter)
    expect(look()).toBe(unclear)
    writeSync(index, byte, 0, 1, counter)
    writer.exec('COMMIT')
    writer.pragma('wal_checkpoint(PASSIVE)')
    expect(look()).toBe('still')
    other.exec('BEGIN')
    other.prepare('SELECT 1 FROM "Note"').get()
    expect(look()).toBe(unclear)
  } finally {
    for (const one of [database, other, writer]) one.close()
    closeSync(index)
  }
})

test('tables whose form the pages do not tell are read through the driver, and named', async () => {
  const from = makeSqlite(
    `${ddl}${rows(1, 10)}; CREATE TABLE "Pair" (id TEXT NOT NULL PRIMARY KEY) WITHOUT ROWID; INSERT INTO "Pair" VALUES ('a'), ('b');`,
  )
  const target = await emptyTarget()
  const both = `${schema}\nmodel Pair {\n  id String @id\n}`
  const { tables, notes } = await move(from, target.url, both, {}, { reader: 'pages' })
  expect(tables.map(({ table, targetRows }) => [table, targetRows])).toEqual(
    expect.arrayContaining([
      ['Note', 10],
      ['Pair', 2],
    ]),
  )
  expect(notes).toContain(
    'Pair was read through SQLite’s driver, not from the file’s pages: it has no rowid that can be named.',
  )
  expect(notes.join()).not.toContain('Note was')
})

test('a damaged page ends the move, with its number; the target is as it was', async () => {
  const from = makeSqlite(ddl + rows(1, 5000))
  const database = openSqliteReadonly(from)
  const root = database
    .prepare("SELECT rootpage FROM sqlite_schema WHERE name = 'Note'")
    .pluck()
    .get() as number
  database.close()
  const bytes = readFileSync(from)
  // The second child of the root: neither the first nor the last row lies below it.
  const cell = bytes.readUInt16BE((root - 1) * 4096 + 14)
  const child = bytes.readUInt32BE((root - 1) * 4096 + cell)
  bytes[(child - 1) * 4096] = 0x2a
  writeFileSync(from, bytes)
  for (const reader of ['pages', 'driver'] as const) {
    const target = await emptyTarget()
    await expect(move(from, target.url, schema, {}, { reader })).rejects.toMatchObject({
      code: 'OUTGROW_SOURCE_DAMAGED',
      message: expect.stringContaining(reader === 'pages' ? `Page ${child} ` : 'in the pages of Note'),
    })
    expect(
      await target.query(`SELECT 1 FROM pg_tables WHERE tablename = 'Note' AND schemaname = 'public'`),
    ).toEqual([])
  }
})

test('a row that a damaged page hides is missed by neither reader, and not by verify; a count that differs is damage', async () => {
  const from = makeSqlite(`${ddl}${rows(1, 5000)}; CREATE TABLE "Empty" (id INTEGER PRIMARY KEY)`)
  const moved = await emptyTarget()
  await move(from, moved.url, schema, { skipTables: new Set(['Empty']) })
  const database = openSqliteReadonly(from)
  const root = database
    .prepare("SELECT rootpage FROM sqlite_schema WHERE name = 'Note'")
    .pluck()
    .get() as number
  database.close()
  await using snapshot = await sqliteSource(from).open(new AbortController().signal)
  const table = planned(snapshot)
  await snapshot.checkCount(table, 5000)
  await expect(snapshot.checkCount(table, 4999)).rejects.toMatchObject({
    code: 'OUTGROW_SOURCE_DAMAGED',
    message: 'SQLite counts 5000 rows in Note, but 4999 were read.',
    fix: expect.stringContaining('PRAGMA integrity_check'),
  })
  const bytes = readFileSync(from)
  const cell = bytes.readUInt16BE((root - 1) * 4096 + 14)
  const child = bytes.readUInt32BE((root - 1) * 4096 + cell)
  const place = (child - 1) * 4096 + 4
  bytes[place] = (bytes[place] as number) - 1 // one row fewer: whatever reads or counts by it agrees
  writeFileSync(from, bytes)
  const damage = { code: 'OUTGROW_SOURCE_DAMAGED', message: expect.stringContaining(String(child)) }
  for (const reader of ['pages', 'driver'] as const) {
    const target = await emptyTarget()
    const options = { skipTables: new Set(['Empty']) }
    await expect(move(from, target.url, schema, options, { reader })).rejects.toMatchObject(damage)
    expect(
      await target.query(`SELECT 1 FROM pg_tables WHERE tablename = 'Note' AND schemaname = 'public'`),
    ).toEqual([])
  }
  await expect(verifyMove(from, moved.url, schema)).rejects.toMatchObject(damage)
})
