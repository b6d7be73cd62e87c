import { assert, integer, property } from 'fast-check'
import { expect, test } from 'vitest'
import { temporaryFolder } from '@outgrow/testing'
import { existsSync, mkdirSync, rmSync, utimesSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { storeWalFile, readCompletedAt, readWalFile } from '../../src/backup/pitr/archive-file.ts'
import { chainOf } from '../../src/backup/pitr/coverage.ts'
import { lastArchivedAt } from '../../src/backup/pitr/last-archived.ts'
import { planWalPrune } from '../../src/backup/pitr/plan-wal-prune.ts'
import { isWalFile, nextSegment } from '../../src/backup/pitr/wal-files.ts'
import { walPart } from '../../src/backup/pitr/base-details.ts'
import type { StoredBackup } from '../../src/backup/catalog/read-catalog.ts'
import { backupKey } from '../../src/backup/seal/backup-key.ts'
import { bytesOf } from '../../src/backup/seal/sealed-document.ts'
import { openStorage } from '../../src/backup/storage/open-storage.ts'

const megabytes = 1 << 20
const segmentBytes = 16 * megabytes

test.each([
  ['000000010000000000000001', '000000010000000000000002'],
  ['0000000100000000000000FE', '0000000100000000000000FF'],
  ['0000000100000000000000FF', '000000010000000100000000'],
  ['0000000A000000FF000000FF', '0000000A0000010000000000'],
])('after %s comes %s', (name, next) => {
  expect(nextSegment(name, segmentBytes)).toBe(next)
})

test('a server with segments of 1 GB has four of them in a group', () => {
  expect(nextSegment('000000010000000000000003', 1024 * megabytes)).toBe('000000010000000100000000')
})

test('only names of WAL are archived', () => {
  const names = [
    '000000010000000000000001',
    '00000002.history',
    '000000010000000000000001.00000028.backup',
    '000000010000000000000001.partial',
  ]
  expect(names.map(isWalFile)).toEqual([true, true, true, true])
  for (const name of ['../000000010000000000000001', 'password', '00000001000000000000000g', ''])
    expect(isWalFile(name)).toBe(false)
})

test('a chain ends at the first segment that is missing, whichever it is', () => {
  assert(
    property(integer({ min: 1, max: 600 }), integer({ min: 0, max: 599 }), (count, gone) => {
      const all = ['0000000100000000000000F0']
      while (all.length < count) all.push(nextSegment(all.at(-1) as string, segmentBytes))
      const segments = new Set(all.filter((_, at) => at !== gone))
      const details = { firstSegment: all[0] as string, lastSegment: all[0] as string, segmentBytes }
      const { chain, gap } = chainOf(details, segments)
      expect(chain).toEqual(all.slice(0, Math.min(gone, count)))
      const isNoticed = gone === 0 || gone < count - 1
      expect(gap).toBe(isNoticed && gone < count ? all[gone] : undefined)
    }),
  )
})

test('a file is stored once: again with the same bytes, and never with others', async () => {
  const folder = temporaryFolder()
  const store = {
    storage: await openStorage(join(folder, 'store')),
    protection: backupKey(Buffer.alloc(32, 7)),
  }
  const [key, path] = ['wal/one/000000010000000000000001', join(folder, 'segment')]
  writeFileSync(path, Buffer.alloc(segmentBytes, 'x\n'))
  await storeWalFile(store, key, path)
  await storeWalFile(store, key, path)
  expect((await readWalFile(store, key)).equals(Buffer.alloc(segmentBytes, 'x\n'))).toBe(true)
  expect(Date.now() - (await readCompletedAt(store, key)).getTime()).toBeLessThan(60_000)
  writeFileSync(path, Buffer.alloc(segmentBytes, 'y'))
  await expect(storeWalFile(store, key, path)).rejects.toMatchObject({ code: 'OUTGROW_WAL_DIFFERS' })
  expect((await readWalFile(store, key)).toString('latin1', 0, 4)).toBe('x\nx\n')
})

test('WAL goes that no base backup needs, and that of an archive which may still get its first one stays', async () => {
  const storage = await openStorage(join(temporaryFolder(), 'store'))
  const segments = [1, 2, 3].map((at) => `00000001000000000000000${at}`)
  for (const archive of ['used', 'new'])
    for (const name of [...segments, 'begun']) await storage.put(`wal/${archive}/${name}`, bytesOf(name))
  const id = '20260131T102030Z-00000000'
  const part = walPart({ archive: 'used', firstSegment: segments[1] as string })
  const kept: StoredBackup[] = [
    {
      id,
      header: undefined,
      isForeign: false,
      takenAt: '2026-11-26T17:15:00.000Z',
      problem: 'its manifest is damaged',
      drills: [],
      keys: [`${id}/${part}`],
    },
  ]
  const { signal } = new AbortController()
  const keysAt = async (now: Date) =>
    (await planWalPrune(storage, kept, now, signal)).flatMap(({ keys }) => keys)
  expect(await keysAt(new Date())).toEqual([`wal/used/${segments[0]}`])
  const inTwoDays = new Date(Date.now() + 2 * 86_400_000)
  expect(await keysAt(inTwoDays)).toEqual([
    ...segments.map((name) => `wal/new/${name}`),
    `wal/used/${segments[0]}`,
  ])
})

test('WAL that another program keeps in the folder is left alone, whatever it is called', async () => {
  const folder = temporaryFolder()
  const foreign = [
    'wal/000000010000000000000001',
    'wal/000000010000000000000001.00000028.backup',
    'wal/notes of an admin',
    'wal/main/000000010000000000000001',
    'wal/ours/deep/000000010000000000000001',
    'wal/ours/000000010000000000000001.gz',
    'wal/ours/000000010000000000000001 (copy)',
  ]
  const ours = ['wal/ours/begun', 'wal/ours/000000010000000000000001']
  for (const key of [...foreign, ...ours]) {
    mkdirSync(join(folder, dirname(key)), { recursive: true })
    writeFileSync(join(folder, key), '')
  }
  const storage = await openStorage(folder)
  const inTwoDays = new Date(Date.now() + 2 * 86_400_000)
  const pruned = await planWalPrune(storage, [], inTwoDays, new AbortController().signal)
  expect(pruned).toEqual([{ archive: 'ours', keys: ['wal/ours/000000010000000000000001'], sizeBytes: 0 }])
  for (const { keys } of pruned) await storage.remove(keys)
  for (const key of foreign) expect(existsSync(join(folder, key))).toBe(true)
})

test('a base backup is as old as the last WAL before a gap', async () => {
  const folder = temporaryFolder()
  mkdirSync(join(folder, 'wal/one'), { recursive: true })
  const segments = ['0000000100000000000000FE', '0000000100000000000000FF', '000000010000000100000000']
  const timeOf = (minutes: number) => new Date(Date.UTC(2026, 0, 31, 12, minutes))
  const store = (name: string, minutes: number) => {
    writeFileSync(join(folder, 'wal/one', name), '')
    utimesSync(join(folder, 'wal/one', name), timeOf(minutes), timeOf(minutes))
  }
  segments.forEach(store)
  const keys = [
    `20260131T102030Z-00000000/${walPart({ archive: 'one', firstSegment: segments[0] as string })}`,
  ]
  const storage = await openStorage(folder)
  expect(await lastArchivedAt(storage, keys)).toEqual(timeOf(2))
  store('000000010000000100000002', 50)
  expect(await lastArchivedAt(storage, keys)).toEqual(timeOf(2))
  rmSync(join(folder, 'wal/one', segments[0] as string))
  expect(await lastArchivedAt(storage, keys)).toBeUndefined()
})
