import { randomBytes } from 'node:crypto'
import {
  chmodSync,
  closeSync,
  existsSync,
  fsyncSync,
  linkSync,
  openSync,
  readdirSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { basename, dirname, join } from 'node:path'
import {
  openSqliteForLock,
  openSqliteReadonly,
  quoteIdentifier,
  refuseMissingFolder,
  traceRemover,
  type SqliteDatabase,
} from '@outgrow/databases'
import { Failure, messageOf } from '@outgrow/kit'
import { isProcessAlive } from '../../process-alive.ts'

/** Names of files that are being made, beside those that they will be: the rest is the process that makes them. */
const mark = '.being-restored-'

/** What SQLite keeps beside a file. */
const companions = ['-journal', '-wal', '-shm']

/** Where a file is made before it is put in its place: on the same file system, and of no use to anybody who finds it. */
export function partOf(path: string): string {
  const real = existsSync(path) ? realpathSync(path) : path
  return join(dirname(real), `${basename(real)}${mark}${process.pid}-${randomBytes(3).toString('hex')}`)
}

/**
 * Refuses a place in which a file cannot be put without taking something away.
 * @throws Failure OUTGROW_URL_INVALID, OUTGROW_TARGET_NOT_EMPTY
 */
export function refuseTakenPlace(path: string): void {
  if (path === ':memory:') {
    throw new Failure({
      code: 'OUTGROW_URL_INVALID',
      message: 'A database in memory would be gone at once.',
      fix: 'Name a file: file:./app.db.',
    })
  }
  refuseMissingFolder(path)
  const beside = companions.map((suffix) => `${path}${suffix}`).filter((name) => existsSync(name))
  if (beside.length > 0) {
    throw notEmpty(
      `${beside.join(' and ')} ${beside.length === 1 ? 'lies' : 'lie'} beside the file that is to be made.`,
      'SQLite would take them for a part of the new file, and apply them to it.',
      'If no application has the file open, move them elsewhere; else name another file.',
    )
  }
  const entry = statSync(path, { throwIfNoEntry: false })
  if (entry === undefined || (entry.isFile() && entry.size === 0)) return
  const found = entry.isFile() ? objectsIn(path) : 'is not a file'
  if (found === undefined) return
  throw notEmpty(
    `${path} ${found}.`,
    'A database is put only where nothing is: what is there would be lost.',
    'Name a file that does not exist, or move this one elsewhere.',
  )
}

/** What is in a file, in words; undefined for an SQLite database without anything in it. */
function objectsIn(path: string): string | undefined {
  using _ = traceRemover(path)
  let database: SqliteDatabase
  try {
    database = openSqliteReadonly(path)
  } catch (error) {
    return `cannot be read as an SQLite database: ${messageOf(error)}`
  }
  try {
    const names = database.prepare('SELECT name FROM sqlite_schema LIMIT 4').pluck().all() as string[]
    return names.length === 0
      ? undefined
      : `is not empty: it has ${names.slice(0, 3).join(', ')}${names.length > 3 ? ' and more' : ''}`
  } finally {
    database.close()
  }
}

function notEmpty(message: string, why: string, fix: string): Failure {
  return new Failure({ code: 'OUTGROW_TARGET_NOT_EMPTY', message, why, fix })
}

/** Removes what processes that were killed have left of files that they were making in this place. */
export function removeAbandoned(path: string): void {
  const folder = dirname(path)
  const start = `${basename(path)}${mark}`
  for (const name of readdirSync(folder).filter((one) => one.startsWith(start))) {
    const process = Number(/^\d+/.exec(name.slice(start.length))?.[0])
    if (!isProcessAlive(process) || process === globalThis.process.pid) removePart(join(folder, name))
  }
}

export function removePart(part: string): void {
  for (const suffix of ['', ...companions]) rmSync(`${part}${suffix}`, { force: true })
}

/** Makes an empty file, which nobody else has made. */
export function createPart(part: string): void {
  writeFileSync(part, '', { flag: 'wx' })
}

/** Opens a new file to be filled: what a process leaves that is killed meanwhile is of no use, so nothing is kept safe. */
export function openPart(part: string): SqliteDatabase {
  const database = openSqliteForLock(part)
  database.pragma('journal_mode = MEMORY')
  database.pragma('synchronous = OFF')
  database.pragma('foreign_keys = OFF')
  database.pragma('cache_size = -65536')
  database.pragma('temp_store = FILE')
  return database
}

/** What is taken off the tables for the load, and put on again after it: SQL in the order in which it was made. */
export interface TakenOff {
  indexes: { name: string; table: string; sql: string }[]
  triggers: string[]
}

/** Takes off what would slow the load down or change its rows, and the rows that migrations have made. */
export function emptyTables(database: SqliteDatabase, tables: readonly string[]): TakenOff {
  const made = (type: string) =>
    database
      .prepare(
        'SELECT name, tbl_name AS "table", sql FROM sqlite_schema WHERE type = ? AND sql IS NOT NULL ORDER BY rowid',
      )
      .all(type) as TakenOff['indexes']
  const indexes = made('index')
  const triggers = made('trigger')
  for (const { name } of indexes) database.exec(`DROP INDEX ${quoteIdentifier(name)}`)
  for (const { name } of triggers) database.exec(`DROP TRIGGER ${quoteIdentifier(name)}`)
  for (const table of tables) database.exec(`DELETE FROM ${quoteIdentifier(table)}`)
  const counts = database.prepare("SELECT 1 FROM sqlite_schema WHERE name = 'sqlite_sequence'").get()
  if (counts !== undefined) database.exec('DELETE FROM sqlite_sequence')
  return { indexes, triggers: triggers.map(({ sql }) => sql) }
}

/**
 * Puts a file that was made in its place, all at once: a place that was empty may have been taken meanwhile, which is not
 * overwritten.
 * @throws Failure OUTGROW_TARGET_NOT_EMPTY
 */
export function putInPlace(part: string, path: string): void {
  const real = existsSync(path) ? realpathSync(path) : path
  refuseTakenPlace(real)
  sync(part)
  const there = statSync(real, { throwIfNoEntry: false })
  if (there) {
    chmodSync(part, there.mode & 0o7777)
    renameSync(part, real)
  } else linkInto(part, real)
  sync(dirname(real))
}

/** A link fails where a rename would overwrite. */
function linkInto(part: string, path: string): void {
  try {
    linkSync(part, path)
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'EEXIST') refuseTakenPlace(path)
    if (code === 'EEXIST' || code === 'ENOSPC') throw error
    renameSync(part, path) // a file system without links
    return
  }
  rmSync(part)
}

function sync(path: string): void {
  const file = openSync(path, 'r')
  try {
    fsyncSync(file)
  } catch (error) {
    // Some file systems do not take it of a folder.
    if (!statSync(path).isDirectory()) throw error
  } finally {
    closeSync(file)
  }
}
