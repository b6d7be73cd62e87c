import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { makeSqlite, temporaryFolder } from '@outgrow/testing'
import { expect, test } from 'vitest'
import { listBackups } from '../src/backup/catalog/list-backups.ts'
import type { Storage } from '../src/backup/model/storage.ts'
import { openStorage } from '../src/backup/storage/open-storage.ts'
import { storageFailure } from '../src/backup/storage/storage-failure.ts'
import { makeBackups } from './backups.ts'
import { failureOf } from './bytes.ts'
import { contentsOf } from './random-sqlite.ts'
import { startS3 } from './s3-server.ts'

/** Rows that do not compress: enough for several parts of a multipart upload. */
function makeLarge(megabytes: number): string {
  return makeSqlite('CREATE TABLE files (id INTEGER PRIMARY KEY, bytes BLOB)', (database) => {
    database.exec(
      `INSERT INTO files (bytes) WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ${megabytes}) SELECT randomblob(1000000) FROM n`,
    )
  })
}

test('in a bucket a backup is stored in parts, listed, tried and restored', async () => {
  const server = await startS3()
  const { backup, drill, restore, storage } = makeBackups(await openStorage('s3://backups/app'))
  const file = makeLarge(34)
  const { id } = await backup(`file:${file}`)
  expect(await drill()).toMatchObject({ id, ok: true })
  expect(await listBackups(storage)).toMatchObject([{ id, problem: null, lastDrill: { ok: true } }])
  const target = join(temporaryFolder(), 'restored.db')
  await restore(`file:${target}`)
  expect(contentsOf(target)).toEqual(contentsOf(file))
  await server.stop()
})

test('a bucket that goes away during a backup or a restore is named, and nothing passes for whole', async () => {
  const server = await startS3()
  const backups = makeBackups(await openStorage('s3://backups/app'))
  await backups.backup(`file:${makeLarge(20)}`)
  const folder = temporaryFolder()
  const target = join(folder, 'restored.db')
  const awayAt = (wanted: string) => (step: string, doneBytes: number) => {
    if (step === wanted && doneBytes > 4_000_000) server.goAway()
  }
  const restored = await failureOf(() => backups.restore(`file:${target}`, { onProgress: awayAt('restore') }))
  expect(restored?.code).toMatch(/^OUTGROW_(STORAGE_UNAVAILABLE|BACKUP_DAMAGED)$/)
  expect(readdirSync(folder)).toEqual([])
  server.comeBack()
  const made = await failureOf(() => backups.backup(`file:${makeLarge(34)}`, { onProgress: awayAt('store') }))
  expect(made).toMatchObject({ code: 'OUTGROW_STORAGE_UNAVAILABLE' })
  server.comeBack()
  expect((await listBackups(backups.storage)).map(({ problem }) => problem)).toEqual([null])
  await backups.restore(`file:${target}`)
  expect(readdirSync(folder)).toEqual(['restored.db'])
  await server.stop()
})

test('a backup whose last answer was lost is there, whole, and passes for made', async () => {
  const server = await startS3()
  const { backup, drill, storage } = makeBackups(await openStorage('s3://backups/app'))
  const lost = server.loseAnswer('/manifest.json')
  const { id } = await backup(`file:${makeLarge(1)}`)
  expect(lost.isLost).toBe(true)
  expect(await listBackups(storage)).toMatchObject([{ id, problem: null }])
  expect(await drill()).toMatchObject({ id, ok: true })
  await server.stop()
})

test('a backup that failed after its manifest was stored takes that away first', async () => {
  const { backup, storage } = makeBackups()
  const removed: string[][] = []
  const failing: Storage = {
    description: storage.description,
    prepare: () => storage.prepare(),
    put: async (key, body, options) => {
      await storage.put(key, body, options)
      if (key.endsWith('/manifest.json')) throw storageFailure('unavailable', 'it', new Error('ECONNRESET'))
    },
    get: (key, signal) => storage.get(key, signal),
    list: (prefix, signal) => storage.list(prefix, signal),
    remove: async (keys) => {
      removed.push(keys.map((key) => key.slice(key.indexOf('/'))))
      await storage.remove(keys)
    },
    unfinished: () => storage.unfinished(),
  }
  const failure = await failureOf(() => backup(`file:${makeLarge(1)}`, { storage: failing }))
  expect(failure).toMatchObject({ code: 'OUTGROW_STORAGE_UNAVAILABLE' })
  expect(removed).toEqual([['/manifest.json'], ['/database.sqlite']])
  expect(await listBackups(storage)).toEqual([])
})
