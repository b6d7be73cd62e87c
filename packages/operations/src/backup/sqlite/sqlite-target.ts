import { randomBytes } from 'node:crypto'
import { chmodSync, chownSync, existsSync, statSync } from 'node:fs'
import { open } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import {
  makeOwnedFolder,
  parseSqliteSource,
  refuseMissingFolder,
  removeAbandonedFolders,
  sqliteVersion,
  type OwnedFolder,
} from '@outgrow/databases'
import { Failure } from '@outgrow/kit'
import type { Manifest, TableDigest } from '../model/manifest.ts'
import type { OpenPart, RestoreTarget, SourceRequest } from '../model/source.ts'
import { placeFile, placeNewFile } from '../storage/place-file.ts'
import { refuseLessThan, workDirFailure } from './disk-full.ts'
import type { CopyContents } from './read-copy.ts'
import { readInThread } from './read-in-thread.ts'
import { databasePart } from './sqlite-source.ts'

/** Runs `use` with a file that is not there yet, or empty. It is written beside its place, and put there when it was checked. */
export async function withSqliteTarget<Result>(
  request: SourceRequest,
  use: (target: RestoreTarget) => Promise<Result>,
): Promise<Result> {
  const target = new SqliteTarget(request)
  try {
    return await use(target)
  } finally {
    await target.discard()
  }
}

class SqliteTarget implements RestoreTarget {
  readonly provider = 'sqlite'
  readonly server = sqliteVersion()
  readonly description: string
  readonly #path: string
  readonly #request: SourceRequest
  #beside: OwnedFolder | undefined
  #contents: Promise<CopyContents> | undefined
  #sizeBytes = 0

  constructor(request: SourceRequest) {
    const { path } = parseSqliteSource(request.url)
    this.#path = path
    this.#request = request
    this.description = path
  }

  async refuseUnlessEmpty(): Promise<void> {
    if (basename(this.#path) === ':memory:') throw inMemory()
    refuseMissingFolder(this.#path)
    const found = statSync(this.#path, { throwIfNoEntry: false })
    if (found && !(found.isFile() && found.size === 0)) throw notEmpty(`${this.#path} is there already`)
    // SQLite would apply them to what is restored.
    const left = ['-wal', '-journal', '-shm'].find((suffix) => existsSync(this.#path + suffix))
    if (left !== undefined)
      throw notEmpty(`${this.#path}${left} was left behind by the file that was there before`)
    const pattern = new RegExp(`^\\.${escapeRegExp(basename(this.#path))}\\.\\d+-[0-9a-f]{8}\\.restoring$`)
    await removeAbandonedFolders(dirname(this.#path), pattern)
  }

  async restore(manifest: Manifest, openPart: OpenPart): Promise<void> {
    const part = manifest.parts.find(({ name }) => name === databasePart)
    if (!part) throw new Error(`the backup has no ${databasePart}`)
    refuseLessThan(part.plainBytes, dirname(this.#path))
    const name = `.${basename(this.#path)}.${process.pid}-${randomBytes(4).toString('hex')}.restoring`
    this.#beside = makeOwnedFolder(join(dirname(this.#path), name))
    const file = await open(this.#copy, 'wx', 0o600)
    try {
      for await (const bytes of openPart(databasePart)) {
        this.#request.signal.throwIfAborted()
        await file.writeFile(bytes)
        this.#sizeBytes += bytes.length
        this.#request.onProgress('restore', this.#sizeBytes, part.plainBytes)
      }
      await file.sync()
    } catch (error) {
      throw workDirFailure(dirname(this.#path), error)
    } finally {
      await file.close()
    }
  }

  async tables(): Promise<TableDigest[]> {
    return (await this.#read()).tables
  }

  async problems(): Promise<string[]> {
    return (await this.#read()).damage
  }

  notes(): string[] {
    return []
  }

  async publish(): Promise<void> {
    const found = statSync(this.#path, { throwIfNoEntry: false })
    if (found !== undefined) {
      await this.refuseUnlessEmpty()
      chmodSync(this.#copy, found.mode & 0o777)
      chownSync(this.#copy, found.uid, found.gid)
      return placeFile(this.#copy, this.#path)
    }
    try {
      await placeNewFile(this.#copy, this.#path)
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
      throw notEmpty(`${this.#path} was made while the backup was restored`)
    }
  }

  async discard(): Promise<void> {
    this.#beside?.remove()
  }

  get #copy(): string {
    if (!this.#beside) throw new Error('nothing was restored')
    return join(this.#beside.path, databasePart)
  }

  #read(): Promise<CopyContents> {
    let done = 0
    this.#contents ??= readInThread(this.#copy, this.#request.signal, (bytes) =>
      this.#request.onProgress('compare', (done += bytes), this.#sizeBytes),
    )
    return this.#contents
  }
}

function escapeRegExp(text: string): string {
  return text.replaceAll(/[$()*+./?[\\\]^{|}-]/g, '\\$&')
}

function notEmpty(fact: string): Failure {
  return new Failure({
    code: 'OUTGROW_RESTORE_NOT_EMPTY',
    message: `${fact}.`,
    why: 'A restore never replaces anything.',
    fix: 'Restore to another path, and put that in place when you have looked at it.',
  })
}

function inMemory(): Failure {
  return new Failure({
    code: 'OUTGROW_URL_INVALID',
    message: 'A backup cannot be restored into memory.',
    fix: 'Pass --to file: with the path of a file that is not there yet.',
  })
}
