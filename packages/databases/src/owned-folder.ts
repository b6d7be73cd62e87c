import { lstatSync, mkdirSync, readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { createSqlite, openSqliteForLock, type SqliteDatabase } from './sqlite.ts'

/** A folder that belongs to this process: whatever ends it, others can tell from then on that it is nobody's. */
export interface OwnedFolder {
  path: string
  remove: () => void
}

/** Held as long as the process lives: the kernel lets go of it, and all containers that share the folder see it. */
const lockFile = 'owner.lock'

/** One that is being made has no lock yet. */
const makingMs = 60_000

/** Makes a folder that only this account may enter. */
export function makeOwnedFolder(path: string): OwnedFolder {
  mkdirSync(path, { mode: 0o700 })
  let lock: SqliteDatabase | undefined
  const remove = () => {
    rmSync(path, { recursive: true, force: true })
    lock?.close() // until here: nobody else removes it meanwhile
  }
  try {
    lock = createSqlite(join(path, lockFile))
    lock.pragma('journal_mode = MEMORY')
    lock.pragma('synchronous = OFF')
    lock.pragma('locking_mode = EXCLUSIVE') // the commit does not let go of it
    // Empty until it is held: nobody takes one that is being made for one whose owner is gone.
    lock.exec('BEGIN EXCLUSIVE; CREATE TABLE owner (pid); COMMIT')
  } catch (error) {
    remove()
    throw error
  }
  return { path, remove }
}

/**
 * Removes the folders whose owners are gone. A process' id would not tell: in a container the next process often has the
 * same one, and that of another container is not seen.
 * @param first what has to be done before a folder is removed
 */
export async function removeAbandonedFolders(
  parent: string,
  pattern: RegExp,
  first: (folder: string) => Promise<void> = async () => {},
): Promise<void> {
  const entries = readdirSync(parent, { withFileTypes: true })
  for (const entry of entries.filter(({ name }) => pattern.test(name))) {
    const folder = join(parent, entry.name)
    const claimed = entry.isDirectory() && claim(folder)
    if (claimed === false) continue
    try {
      await first(folder)
      rmSync(folder, { recursive: true, force: true })
    } finally {
      claimed?.close()
    }
  }
}

/** The lock of a folder that nobody owns; undefined when there is none to take, false when the folder is somebody's. */
function claim(folder: string): SqliteDatabase | undefined | false {
  let database: SqliteDatabase | undefined
  try {
    const lock = lstatSync(join(folder, lockFile), { throwIfNoEntry: false })
    if (!lock?.isFile() || lock.size === 0)
      return Date.now() - lstatSync(folder).mtimeMs > makingMs ? undefined : false
    database = openSqliteForLock(join(folder, lockFile), 0)
    database.exec('BEGIN EXCLUSIVE')
    return database
  } catch (error) {
    database?.close()
    // A power cut may have taken its contents. Everything else: it is held, another account's, or was just removed.
    const { code } = error as { code?: string }
    return code === 'SQLITE_NOTADB' || code === 'SQLITE_CORRUPT' ? undefined : false
  }
}
