import { statSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import Database from 'better-sqlite3'
import { readAuthority, type Authority } from './authority.ts'
import type { SqliteDatabase } from './sqlite.ts'

/** A wait in the driver blocks the event loop: a reader hardly ever waits, and then not for long. */
const readTimeoutMs = 50

interface Version {
  get(): unknown
}

/**
 * Looks at the authority in a file, over a connection of its own that only reads. A look asks for `schema_version`, which
 * takes microseconds; the row is read again when that has changed, as it does with every switch.
 */
export class AuthorityWatch implements Disposable {
  readonly #path: string
  readonly #versions = new WeakMap<SqliteDatabase, Version>()
  #reader: SqliteDatabase | undefined
  #file: string | undefined
  #seen: { version: unknown; authority: Authority | undefined } | undefined

  constructor(path: string) {
    this.#path = path
  }

  /** The authority as it was last seen. */
  get last(): Authority | undefined {
    return this.#seen?.authority
  }

  /**
   * Undefined where no graduation is under way. Throws what the driver throws when the file cannot be read.
   * @param fresh reads the row in any case, and opens the file again where another has taken its place: the state changes
   *   without `schema_version`
   */
  look({ fresh = false } = {}): Authority | undefined {
    if (fresh) this.#reopenWhenReplaced()
    return this.#lookIn(this.#open(), fresh)
  }

  /** The same, over a connection that has begun a transaction. */
  lookInside(database: SqliteDatabase): Authority | undefined {
    return this.#lookIn(database, false)
  }

  /**
   * Looks with the write lock held, which waits for whoever is about to change the authority: its other half, on Postgres,
   * may be visible already.
   */
  async lookLocked(limitMs: number): Promise<Authority | undefined> {
    const writer = openUnobtrusive(this.#path)
    const asked = performance.now()
    try {
      while (!begins(writer)) {
        if (performance.now() - asked > limitMs) return this.look()
        await sleep(2)
      }
      return this.#lookIn(writer, true)
    } finally {
      writer.close() // rolls back
    }
  }

  [Symbol.dispose](): void {
    this.#reader?.close()
    this.#reader = undefined
  }

  #open(): SqliteDatabase {
    if (this.#reader) return this.#reader
    const file = fileAt(this.#path)
    this.#reader = new Database(this.#path, { readonly: true, fileMustExist: true, timeout: readTimeoutMs })
    this.#file = file
    return this.#reader
  }

  #reopenWhenReplaced(): void {
    if (!this.#reader || fileAt(this.#path) === this.#file) return
    this[Symbol.dispose]()
    this.#seen = undefined
  }

  #lookIn(database: SqliteDatabase, fresh: boolean): Authority | undefined {
    let statement = this.#versions.get(database)
    if (!statement) {
      statement = database.prepare('PRAGMA schema_version').pluck()
      this.#versions.set(database, statement)
    }
    const version = statement.get()
    const seen = this.#seen
    if (seen && !fresh && seen.version === version) return seen.authority
    const authority = readAuthority(database)
    this.#seen = { version, authority }
    return authority
  }
}

/** A connection that writes next to an application's own: it never waits in the driver, and never checkpoints. */
export function openUnobtrusive(path: string): SqliteDatabase {
  const database = new Database(path, { fileMustExist: true, timeout: 0 })
  database.pragma('wal_autocheckpoint = 0')
  database.pragma('synchronous = NORMAL')
  return database
}

function begins(writer: SqliteDatabase): boolean {
  try {
    writer.exec('BEGIN IMMEDIATE')
    return true
  } catch (error) {
    if (String((error as { code?: unknown }).code).startsWith('SQLITE_BUSY')) return false
    throw error
  }
}

/** Undefined where there is none. */
function fileAt(path: string): string | undefined {
  const file = statSync(path, { throwIfNoEntry: false })
  return file && `${file.dev}:${file.ino}`
}
