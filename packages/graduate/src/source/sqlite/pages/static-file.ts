import { closeSync, existsSync, fstatSync, openSync, readSync, statSync } from 'node:fs'
import type { SqliteDatabase } from '@outgrow/databases'
import type { StaticFile } from './page-file.ts'

/** A file whose pages may be read by hand; or why not, in words. */
export type StaticState = { file: StaticFile } | { reason: string }

/**
 * Opens a file so that its pages can be read while SQLite reads it too. On POSIX systems a process loses all of its locks on a
 * file when it closes any descriptor of it: this one is opened before SQLite opens the file, and disposed of after.
 */
export class FileDescriptor implements Disposable {
  readonly #descriptor: number | undefined

  constructor(path: string) {
    // What is wrong with the file is for SQLite to say.
    this.#descriptor = existsSync(path) && statSync(path).isFile() ? tryOpen(path) : undefined
  }

  /**
   * Whether the file stands still, and is the whole of what a read transaction sees.
   * @param database in a read transaction, since whose beginning nothing was committed
   * @param other a connection without one
   */
  look(path: string, database: SqliteDatabase, other: SqliteDatabase): StaticState {
    const descriptor = this.#descriptor
    if (descriptor === undefined) return { reason: 'the file cannot be opened' }
    const [opened, named] = [fstatSync(descriptor), statSync(path)]
    if (opened.ino !== named.ino || opened.dev !== named.dev) return { reason: 'another file took its place' }
    const beyond = framesBeyond(database, other)
    if (beyond !== undefined) return { reason: beyond }
    const ask = (name: string) => database.prepare(`SELECT * FROM pragma_${name}`).pluck().get()
    if (ask('encoding') !== 'UTF-8') return { reason: 'its text is not in UTF-8' }
    const header = Buffer.alloc(100)
    if (readSync(descriptor, header, 0, 100, 0) !== 100) return { reason: 'it has no header' }
    const file = { descriptor, pageSize: pageSizeIn(header), reserved: header[20] as number }
    const pageCount = Number(ask('page_count'))
    const isClear =
      header.toString('latin1', 0, 16) === 'SQLite format 3\0' &&
      file.pageSize === ask('page_size') &&
      file.pageSize - file.reserved >= 480 &&
      header.readUInt32BE(40) === ask('schema_version') &&
      // The longest and the shortest record on a page, and that of an index's: they never had other values.
      header.subarray(21, 24).equals(Buffer.from([64, 32, 32])) &&
      header.readUInt32BE(56) === 1 &&
      pageCount * file.pageSize <= opened.size
    return isClear ? { file: { ...file, pageCount } } : { reason: 'its header is unclear' }
  }

  [Symbol.dispose](): void {
    if (this.#descriptor !== undefined) closeSync(this.#descriptor)
  }
}

/**
 * Why a WAL may have frames that are not in the file, in words. In another journal mode a reader's lock keeps writers out of
 * the file; and so it does in WAL mode once every frame that the reader may see is in the file: none of the later ones can be
 * put there before it has ended. A log that begins anew changes nothing about that, since its frames are never read here.
 */
function framesBeyond(database: SqliteDatabase, other: SqliteDatabase): string | undefined {
  const unclear = 'SQLite does not say whether its -wal holds changes that are not in the file itself yet'
  const isWal = database.prepare('SELECT * FROM pragma_journal_mode').pluck().get() === 'wal'
  let state: { busy: number; log: number; checkpointed: number } | undefined
  try {
    state = (other.pragma('wal_checkpoint(NOOP)') as (typeof state)[])[0]
  } catch {
    return unclear // it may not write to the -wal, and so will not look
  }
  // Both counts are -1 where there is no WAL, and also where SQLite has not looked.
  if (state === undefined || state.busy !== 0 || isWal !== state.log >= 0) return unclear
  return state.log === state.checkpointed
    ? undefined
    : 'its -wal holds changes that are not in the file itself yet'
}

function tryOpen(path: string): number | undefined {
  try {
    return openSync(path, 'r')
  } catch {
    return undefined
  }
}

function pageSizeIn(header: Buffer): number {
  const size = header.readUInt16BE(16)
  return size === 1 ? 65536 : size
}
