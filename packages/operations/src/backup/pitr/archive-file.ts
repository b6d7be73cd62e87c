import { readFile, stat } from 'node:fs/promises'
import { Failure } from '@outgrow/kit'
import { z } from 'zod'
import type { Storage } from '../model/storage.ts'
import type { Protection } from '../seal/backup-key.ts'
import { damaged } from '../seal/header.ts'
import { seal, unseal } from '../seal/seal.ts'
import { bytesOf, collect } from '../seal/sealed-document.ts'
import { begunKey } from './wal-files.ts'

/** The first line of a stored file of WAL; its bytes follow. */
const walHead = z.object({
  /** When it was last written to: what was committed until then is in it, or in an earlier one. */
  completedAt: z.iso.datetime(),
})

/** A storage of WAL, and how it is protected. */
export interface WalStore {
  storage: Storage
  protection: Protection
}

/** @throws Failure of the storage, when it does not take or give objects */
export async function beginArchive({ storage, protection }: WalStore, archive: string): Promise<void> {
  const key = begunKey(archive)
  await storage.put(key, seal(bytesOf(new Date().toISOString()), key, protection))
  await collect(unseal(storage.get(key), key, protection))
}

/** @throws Failure OUTGROW_ARCHIVE_GONE, as of a disk that is not mounted, whose folder is empty */
export async function refuseOtherStorage({ storage }: WalStore, archive: string): Promise<void> {
  for await (const { key } of storage.list(begunKey(archive))) if (key === begunKey(archive)) return
  throw new Failure({
    code: 'OUTGROW_ARCHIVE_GONE',
    message: `${storage.description} does not have the archive ${archive}, which began there.`,
    why: 'WAL that went elsewhere would be missing there.',
    fix: 'Mount the disk. If the archive is lost, begin another with outgrow backup init.',
  })
}

/**
 * Stores a file of WAL. One that is there already is left as it is.
 * @throws Failure OUTGROW_WAL_DIFFERS when that has other bytes
 */
export async function storeWalFile(
  { storage, protection }: WalStore,
  key: string,
  path: string,
): Promise<void> {
  const [bytes, { mtime }] = await Promise.all([readFile(path), stat(path)])
  const head = `${JSON.stringify({ completedAt: mtime.toISOString() })}\n`
  try {
    await storage.put(key, seal(headed(head, bytes), key, protection), { ifAbsent: true })
  } catch (error) {
    if (!(error instanceof Failure) || error.code !== 'OUTGROW_STORAGE_EXISTS') throw error
    // Stored before the server could note that it was.
    const there = await readWalFile({ storage, protection }, key)
    if (there.equals(bytes)) return
    throw new Failure({
      code: 'OUTGROW_WAL_DIFFERS',
      message: `${key} is in ${storage.description} already, with other bytes.`,
      why: 'Two servers archive to the same place, as after a copy of the folder of one; neither could be restored then.',
      fix: 'Run `outgrow backup init` for this one: it begins an archive of its own.',
      cause: error,
    })
  }
}

/**
 * The bytes of a stored file of WAL.
 * @throws Failure OUTGROW_BACKUP_OBJECT_MISSING, OUTGROW_BACKUP_DAMAGED, OUTGROW_BACKUP_KEY_WRONG
 */
export async function readWalFile({ storage, protection }: WalStore, key: string): Promise<Buffer> {
  const all = await collect(unseal(storage.get(key), key, protection))
  return all.subarray(all.indexOf(newline) + 1)
}

/** Until when what was committed is in it. Only its beginning is read. */
export async function readCompletedAt({ storage, protection }: WalStore, key: string): Promise<Date> {
  let read = Buffer.alloc(0)
  for await (const bytes of unseal(storage.get(key), key, protection)) {
    read = Buffer.concat([read, bytes])
    if (read.includes(newline)) break
  }
  const line = read.subarray(0, read.indexOf(newline)).toString()
  const head = walHead.safeParse(parsed(line))
  if (!head.success) throw damaged(key, 'it does not begin as a file of WAL does')
  return new Date(head.data.completedAt)
}

const newline = 0x0a

async function* headed(head: string, bytes: Buffer): AsyncIterable<Uint8Array> {
  yield Buffer.from(head)
  yield bytes
}

function parsed(line: string): unknown {
  try {
    return JSON.parse(line)
  } catch {
    return undefined
  }
}
