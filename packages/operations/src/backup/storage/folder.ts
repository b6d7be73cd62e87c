import { randomBytes } from 'node:crypto'
import { constants, createReadStream } from 'node:fs'
import { access, lstat, mkdir, open, readdir, rm, rmdir, stat } from 'node:fs/promises'
import { basename, dirname, join, relative, resolve, sep } from 'node:path'
import { Failure } from '@outgrow/kit'
import { isBackupId } from '../model/keys.ts'
import type { PutOptions, Storage, StoredObject, UnfinishedUpload } from '../model/storage.ts'
import { walPrefix } from '../pitr/wal-files.ts'
import { placeFile, placeNewFile } from './place-file.ts'
import { objectExists, objectMissing, storageFailure, type StorageProblem } from './storage-failure.ts'

/** Backups in a folder: an object is a file that only its owner may read. */
export class FolderStorage implements Storage {
  readonly description: string
  readonly #folder: string

  constructor(folder: string) {
    this.#folder = resolve(folder)
    this.description = this.#folder
  }

  async prepare(): Promise<void> {
    await this.#asked(async () => {
      await this.#makeFolder()
      await access(this.#folder, constants.R_OK | constants.W_OK | constants.X_OK)
    })
  }

  async put(key: string, body: AsyncIterable<Uint8Array>, options: PutOptions = {}): Promise<void> {
    const path = this.#pathOf(key)
    const partial = join(dirname(path), `.${basename(path)}.${randomBytes(6).toString('hex')}.partial`)
    try {
      await this.#asked(async () => {
        await this.#makeFolder()
        await mkdir(dirname(path), { recursive: true, mode: 0o700 })
      })
      await this.#write(partial, body, options.signal)
      await this.#asked(() => (options.ifAbsent ? placeNewFile : placeFile)(partial, path))
    } catch (error) {
      await rm(partial, { force: true }).catch(() => {}) // what is wrong with the folder is known already
      throw isCode(error, 'EEXIST') ? objectExists(this.description, key) : error
    }
  }

  async *get(key: string, signal?: AbortSignal): AsyncIterable<Uint8Array> {
    const file = createReadStream(this.#pathOf(key), { highWaterMark: 256 * 1024 })
    try {
      for await (const bytes of file) {
        signal?.throwIfAborted()
        yield bytes as Uint8Array
      }
    } catch (error) {
      if (isCode(error, 'ENOENT')) throw objectMissing(this.description, key)
      throw this.#named(error)
    } finally {
      file.destroy()
    }
  }

  async *list(prefix: string, signal?: AbortSignal): AsyncIterable<StoredObject> {
    for await (const { path, name } of this.#files(
      (key) => key.startsWith(prefix) || prefix.startsWith(key),
    )) {
      signal?.throwIfAborted()
      const key = relative(this.#folder, path).split(sep).join('/')
      if (name.startsWith('.') || !key.startsWith(prefix)) continue
      const found = await stat(path).catch(() => undefined) // removed meanwhile
      if (found?.isFile()) yield { key, sizeBytes: found.size, modifiedAt: found.mtime }
    }
  }

  async remove(keys: string[]): Promise<void> {
    await this.#asked(async () => {
      for (const key of keys) await rm(this.#pathOf(key), { force: true })
      const folders = new Set(keys.map((key) => dirname(this.#pathOf(key))))
      for (const folder of folders) await removeEmpty(folder, this.#folder)
    })
  }

  async *unfinished(): AsyncIterable<UnfinishedUpload> {
    for await (const { path, name } of this.#files(isOfBackups)) {
      const become = /^\.(.+)\.[0-9a-f]{12}\.partial$/.exec(name)?.[1]
      if (become === undefined) continue
      const key = relative(this.#folder, join(dirname(path), become))
        .split(sep)
        .join('/')
      const remove = async () => {
        await this.#asked(() => rm(path, { force: true }))
        await removeEmpty(dirname(path), this.#folder)
      }
      const lastActiveAt = async () => (await stat(path).catch(() => undefined))?.mtime
      yield { key, lastActiveAt, remove }
    }
  }

  /** Files below, in order of their keys. @param isEntered whether to look into a folder, by its key with `/` */
  async *#files(isEntered: (key: string) => boolean): AsyncIterable<FoundFile> {
    try {
      yield* filesIn(this.#folder, '', isEntered)
    } catch (error) {
      throw this.#named(error)
    }
  }

  async #write(path: string, body: AsyncIterable<Uint8Array>, signal?: AbortSignal): Promise<void> {
    const file = await this.#asked(() => open(path, 'wx', 0o600))
    try {
      for await (const bytes of body) {
        signal?.throwIfAborted()
        await this.#asked(() => file.writeFile(bytes))
      }
      await this.#asked(() => file.sync())
    } finally {
      await file.close()
    }
  }

  /** Only the last of its folders: the ones above may be a disk that is not mounted. */
  async #makeFolder(): Promise<void> {
    await mkdir(this.#folder, { mode: 0o700 }).catch((error: unknown) => {
      if (!isCode(error, 'EEXIST')) throw error
    })
    const found = await lstat(this.#folder)
    if (found.isDirectory() || found.isSymbolicLink()) return
    throw storageFailure('unavailable', this.description, new Error('it is not a folder'))
  }

  #pathOf(key: string): string {
    if (!/^[\w-][\w.-]*(\/[\w-][\w.-]*)*$/.test(key)) throw new Error(`not a key: ${key}`)
    return join(this.#folder, ...key.split('/'))
  }

  async #asked<Result>(ask: () => Promise<Result>): Promise<Result> {
    try {
      return await ask()
    } catch (error) {
      throw this.#named(error)
    }
  }

  #named(error: unknown): unknown {
    if (error instanceof Failure || isCode(error, 'EEXIST')) return error
    const { code, syscall } = error as NodeJS.ErrnoException
    return syscall === undefined ? error : storageFailure(problemOf(code), this.description, error)
  }
}

interface FoundFile {
  path: string
  name: string
}

async function* filesIn(
  folder: string,
  inside: string,
  isEntered: (key: string) => boolean,
): AsyncIterable<FoundFile> {
  const entries = await readdir(folder, { withFileTypes: true })
  const inOrder = entries
    .filter(({ name }) => name !== 'lost+found') // of a disk; only root may look into it
    .map((entry) => ({ entry, key: `${inside}${entry.name}${entry.isDirectory() ? '/' : ''}` }))
    .toSorted((a, b) => (a.key < b.key ? -1 : 1))
  for (const { entry, key } of inOrder) {
    const path = join(folder, entry.name)
    if (!entry.isDirectory()) yield { path, name: entry.name }
    else if (isEntered(key)) yield* filesIn(path, key, isEntered)
  }
}

/** Other folders beside those of backups are somebody else's, and may not even be readable. */
function isOfBackups(key: string): boolean {
  return isBackupId(key.slice(0, key.indexOf('/'))) || key.startsWith(walPrefix)
}

function problemOf(code: string | undefined): StorageProblem {
  if (code === 'ENOSPC' || code === 'EDQUOT' || code === 'EFBIG') return 'full'
  return code === 'EACCES' || code === 'EPERM' || code === 'EROFS' ? 'denied' : 'unavailable'
}

async function removeEmpty(folder: string, root: string): Promise<void> {
  if (folder === root) return
  const isEmpty = (await readdir(folder).catch(() => ['gone'])).length === 0
  if (!isEmpty) return
  await rmdir(folder).catch(() => {}) // somebody may be putting an object there
}

function isCode(error: unknown, code: string): boolean {
  return (error as NodeJS.ErrnoException).code === code
}
