import { randomBytes } from 'node:crypto'
import { existsSync, mkdirSync, readdirSync, statSync, utimesSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { CreateMultipartUploadCommand, S3Client, UploadPartCommand } from '@aws-sdk/client-s3'
import { temporaryFolder } from '@outgrow/testing'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Storage, UnfinishedUpload } from '../src/backup/model/storage.ts'
import { bytesOf, collect } from '../src/backup/seal/sealed-document.ts'
import { repositoryAt } from '../src/backup/pgbackrest/repository.ts'
import { settingsFromEnvironment } from '../src/backup/pitr/archive-settings.ts'
import { openStorage, splitLocation } from '../src/backup/storage/open-storage.ts'
import { failureOf, inPieces } from './bytes.ts'
import { startS3, type S3Server } from './s3-server.ts'

let s3: S3Server

beforeAll(async () => {
  s3 = await startS3()
})

afterAll(() => s3.stop())

const keysOf = async (storage: Storage, prefix = '') => {
  const keys: string[] = []
  for await (const { key } of storage.list(prefix)) keys.push(key)
  return keys
}

/** Everything that is really there. */
function filesBelow(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
}

/** More than two parts of a multipart upload. */
const large = randomBytes(34 * 1024 * 1024)

describe.each(['folder', 's3'])('a storage in a %s', (kind) => {
  let root: string
  let storage: Storage

  beforeAll(async () => {
    root = kind === 's3' ? s3.folder : temporaryFolder()
    storage = await openStorage(kind === 's3' ? 's3://backups/app' : root)
    await storage.prepare()
  })

  test('gives back what it was given, of any size, and lists it', async () => {
    for (const [key, bytes] of Object.entries({
      'a/empty': Buffer.alloc(0),
      'a/small': Buffer.from('x'),
      'b/large': large,
    })) {
      await storage.put(key, inPieces(bytes, 100_000), { expectedBytes: bytes.length })
      expect((await collect(storage.get(key))).equals(bytes)).toBe(true)
    }
    expect(await keysOf(storage)).toEqual(['a/empty', 'a/small', 'b/large'])
    expect(await keysOf(storage, 'a/')).toEqual(['a/empty', 'a/small'])
    for await (const { key, sizeBytes, modifiedAt } of storage.list('b')) {
      expect([key, sizeBytes]).toEqual(['b/large', large.length])
      expect(Math.abs(Date.now() - modifiedAt.getTime())).toBeLessThan(600_000)
    }
    await storage.remove(['a/empty', 'a/small', 'b/large', 'b/never-there'])
    expect(await keysOf(storage)).toEqual([])
  })

  test('replaces an object, unless it may not', async () => {
    await storage.put('one', bytesOf('first'))
    await storage.put('one', bytesOf('second'))
    const failure = await failureOf(() => storage.put('one', bytesOf('third'), { ifAbsent: true }))
    expect(failure).toMatchObject({ code: 'OUTGROW_STORAGE_EXISTS' })
    expect((await collect(storage.get('one'))).toString()).toBe('second')
    await storage.put('other', bytesOf('new'), { ifAbsent: true })
    await storage.remove(['one', 'other'])
  })

  test('names an object that is not there', async () => {
    const failure = await failureOf(() => collect(storage.get('20261126T171500Z-9f3a61c0/manifest.json')))
    expect(failure).toMatchObject({ code: 'OUTGROW_BACKUP_OBJECT_MISSING' })
    expect(failure?.message).toContain('20261126T171500Z-9f3a61c0/manifest.json')
  })

  test.each([0.1, 0.9])('keeps nothing of an object that fails after %f of it', async (share) => {
    const failing = async function* () {
      yield* inPieces(large.subarray(0, large.length * share), 100_000)
      throw new Error('the source is gone')
    }
    await expect(storage.put('a/failing', failing())).rejects.toThrow('the source is gone')
    expect(await keysOf(storage)).toEqual([])
    expect(filesBelow(root).filter((path) => statSync(path).size > 0)).toEqual([])
  })

  test('keeps nothing of an object that is stopped', async () => {
    const stop = new AbortController()
    let sent = 0
    const body = async function* () {
      for await (const bytes of inPieces(large, 100_000)) {
        sent += bytes.length
        if (sent > large.length / 2) stop.abort(new Error('stopped'))
        yield bytes
      }
    }
    await expect(storage.put('a/stopped', body(), { signal: stop.signal })).rejects.toThrow('stopped')
    expect(await keysOf(storage)).toEqual([])
    expect(filesBelow(root).filter((path) => statSync(path).size > 0)).toEqual([])
  })
})

test('a folder is not made where the one above it is missing: it may be a disk that is not mounted', async () => {
  const folder = join(temporaryFolder(), 'disk', 'backups')
  const storage = await openStorage(folder)
  expect(await failureOf(() => storage.prepare())).toMatchObject({ code: 'OUTGROW_STORAGE_UNAVAILABLE' })
  expect(await failureOf(() => keysOf(storage))).toMatchObject({ code: 'OUTGROW_STORAGE_UNAVAILABLE' })
  expect(existsSync(folder)).toBe(false)
})

test('a file is not a folder of backups', async () => {
  const path = join(temporaryFolder(), 'file')
  writeFileSync(path, '')
  const storage = await openStorage(path)
  expect(await failureOf(() => storage.prepare())).toMatchObject({ code: 'OUTGROW_STORAGE_UNAVAILABLE' })
})

test('what is written to a folder is for its owner only', async () => {
  const folder = join(temporaryFolder(), 'backups')
  const storage = await openStorage(folder)
  await storage.put('a/b', bytesOf('x'))
  const modes = [folder, join(folder, 'a'), join(folder, 'a/b')].map((path) => statSync(path).mode & 0o777)
  expect(modes).toEqual([0o700, 0o700, 0o600])
})

test('an upload that a killed process left in a folder is no object, and can be removed', async () => {
  const folder = temporaryFolder()
  const storage = await openStorage(folder)
  const id = '20261126T171500Z-9f3a61c0'
  await storage.put(`${id}/whole`, bytesOf('x'))
  const left = join(folder, id, '.database.sqlite.0123456789ab.partial')
  writeFileSync(left, 'half')
  utimesSync(left, 1000, 1000)
  expect(await keysOf(storage)).toEqual([`${id}/whole`])
  // Of somebody else: it is neither looked into nor removed.
  mkdirSync(join(folder, 'foreign'))
  const foreign = join(folder, 'foreign', '.download.0123456789ab.partial')
  writeFileSync(foreign, 'half')
  const unfinished: UnfinishedUpload[] = []
  for await (const upload of storage.unfinished()) unfinished.push(upload)
  expect(unfinished.map(({ key }) => key)).toEqual([`${id}/database.sqlite`])
  expect(await unfinished[0]?.lastActiveAt()).toEqual(new Date(1_000_000))
  await unfinished[0]?.remove()
  expect(filesBelow(folder).toSorted()).toEqual([join(folder, id, 'whole'), foreign])
  await storage.remove([`${id}/whole`])
  expect(readdirSync(folder)).toEqual(['foreign'])
})

test('objects are removed one by one where a bucket does not know how to remove several', async () => {
  const other = await startS3()
  const removals = other.refuseRemovals()
  const storage = await openStorage('s3://backups/app')
  for (const key of ['a', 'b', 'c']) await storage.put(key, bytesOf(key))
  await storage.remove(['a', 'b', 'never-there'])
  expect(await keysOf(storage)).toEqual(['c'])
  expect(removals.refused).toBeGreaterThan(0)
  await other.stop()
  Object.assign(process.env, s3.env)
})

test('an object of a bucket whose connection is lost is read on from there', async () => {
  const storage = await openStorage('s3://backups/app')
  await storage.put('large', bytesOf(large))
  const cut = s3.cutNext(10_000_000)
  expect((await collect(storage.get('large'))).equals(large)).toBe(true)
  expect(cut.isCut).toBe(true)
  await storage.remove(['large'])
})

test('an upload that a killed process left in a bucket is no object, and can be removed', async () => {
  const storage = await openStorage('s3://backups/app')
  const client = new S3Client({ forcePathStyle: true })
  const at = { Bucket: 'backups', Key: 'app/a/database.sqlite' }
  const { UploadId } = await client.send(new CreateMultipartUploadCommand(at))
  await client.send(
    new UploadPartCommand({ ...at, UploadId, PartNumber: 1, Body: large.subarray(0, 6_000_000) }),
  )
  expect(await keysOf(storage)).toEqual([])
  const unfinished: UnfinishedUpload[] = []
  for await (const upload of storage.unfinished()) unfinished.push(upload)
  expect(unfinished.map(({ key }) => key)).toEqual(['a/database.sqlite'])
  await unfinished[0]?.remove()
  expect(filesBelow(s3.folder)).toEqual([])
})

test('a bucket that is away, is not there, or may not be used is named, without secrets', async () => {
  const away = await startS3()
  const gone = await openStorage('s3://backups/app')
  await away.stop()
  const unreachable = await failureOf(() => gone.prepare())
  expect(unreachable).toMatchObject({ code: 'OUTGROW_STORAGE_UNAVAILABLE' })
  expect(unreachable?.message).toContain('s3://backups/app')
  Object.assign(process.env, s3.env)
  const missing = await openStorage('s3://nowhere/app')
  expect(await failureOf(() => missing.prepare())).toMatchObject({ code: 'OUTGROW_STORAGE_UNAVAILABLE' })
  Object.assign(process.env, { AWS_ACCESS_KEY_ID: 'NOBODY', AWS_SECRET_ACCESS_KEY: 'not-the-secret' })
  const denied = await openStorage('s3://backups/app')
  const failure = await failureOf(() => denied.prepare())
  Object.assign(process.env, s3.env)
  expect(failure).toMatchObject({ code: 'OUTGROW_STORAGE_DENIED' })
  expect(JSON.stringify(failure) + failure?.message).not.toContain('not-the-secret')
})

test.each([
  ['ftp://backups', 'OUTGROW_OPTION_INVALID'],
  ['s3:/backups', 'OUTGROW_OPTION_INVALID'],
  ['', 'OUTGROW_OPTION_INVALID'],
  ['s3://', 'OUTGROW_OPTION_INVALID'],
  ['s3://backups/a b', 'OUTGROW_OPTION_INVALID'],
  ['s3://backups/a/../b', 'OUTGROW_OPTION_INVALID'],
  ['s3://backups/a//b', 'OUTGROW_OPTION_INVALID'],
  ['https://key:secret@s3.example.com/backups', 'OUTGROW_OPTION_INVALID'],
  ['gs://backups/app', 'OUTGROW_OPTION_INVALID'],
  ['file:./backups', 'OUTGROW_OPTION_INVALID'],
  ['file:/backups', 'OUTGROW_OPTION_INVALID'],
  ['file://backups/app', 'OUTGROW_OPTION_INVALID'],
  ['file:///backups%2Fapp', 'OUTGROW_OPTION_INVALID'],
])('%s is no location, whoever reads it', async (location, code) => {
  for (const read of [() => settingsFromEnvironment(location, false, {}), () => repositoryAt(location, {})])
    expect(await failureOf(async () => read())).toMatchObject({ code })
  const failure = await failureOf(() => openStorage(location))
  expect(failure).toMatchObject({ code })
  expect(failure?.message).not.toContain('secret')
})

test.each([
  ['/var/backups/app', '/var/backups/app'],
  ['backups', resolve('backups')],
  ['file:///var/backups/my%20app', '/var/backups/my app'],
])('%s is the folder %s, whoever reads it', async (location, path) => {
  expect(settingsFromEnvironment(location, false, {}).location).toBe(path)
  expect(repositoryAt(location, {})).toEqual({ type: 'posix', path })
  expect((await openStorage(location)).description).toBe(path)
})

test('a server is not given credentials that expire', async () => {
  const env = {
    AWS_ACCESS_KEY_ID: 'a',
    AWS_SECRET_ACCESS_KEY: 'b',
    AWS_SESSION_TOKEN: 'c',
    AWS_REGION: 'eu-1',
  }
  const expected = { code: 'OUTGROW_OPTION_INVALID', message: expect.stringContaining('temporary') }
  for (const read of [
    settingsFromEnvironment.bind(null, 's3://backups', false),
    repositoryAt.bind(null, 's3://backups'),
  ]) {
    expect(await failureOf(async () => read(env))).toMatchObject(expected)
    expect(read({ ...env, AWS_SESSION_TOKEN: undefined })).toBeDefined()
  }
  expect(settingsFromEnvironment('/var/backups', false, env).environment).toEqual({})
})

test.each([
  ['/var/backups/app', '/var/backups/app', undefined],
  ['s3://backups', 's3://backups', undefined],
  ['s3://backups/20261126T171500Z-9f3a61c0', 's3://backups', '20261126T171500Z-9f3a61c0'],
  ['s3://backups/app/20261126T171500Z-9f3a61c0/', 's3://backups/app', '20261126T171500Z-9f3a61c0'],
  ['backups/20261126T171500Z-9f3a61c0', 'backups', '20261126T171500Z-9f3a61c0'],
  ['20261126T171500Z-9f3a61c0', '.', '20261126T171500Z-9f3a61c0'],
  ['/20261126T171500Z-9f3a61c0', '/', '20261126T171500Z-9f3a61c0'],
  [' s3://backups/20261126T171500Z-9f3a61c0\n', 's3://backups', '20261126T171500Z-9f3a61c0'],
  [' s3://backups/app ', 's3://backups/app', undefined],
  [' 20261126T171500Z-9f3a61c0 ', '.', '20261126T171500Z-9f3a61c0'],
])('%s is the location %s and the backup %s', (text, location, id) => {
  expect(splitLocation(text)).toEqual({ location, id })
})

test.each([
  ['s3://backups/app/', 's3://backups/app'],
  [' s3://backups/app\n', 's3://backups/app'],
  ['s3://backups/', 's3://backups'],
  ['backups', resolve('backups')],
  ['./backups/', resolve('backups')],
  [' /var/backups/app/ ', '/var/backups/app'],
])('the location "%s" is %s', async (location, description) => {
  expect((await openStorage(location)).description).toBe(description)
})

test('a prefix that begins with another one is another storage', async () => {
  const [app, app2] = [await openStorage('s3://backups/app'), await openStorage('s3://backups/app2')]
  await app.put('x', bytesOf('one'))
  await app2.put('x', bytesOf('two'))
  expect([await keysOf(app), await keysOf(app2)]).toEqual([['x'], ['x']])
  await app.remove(['x'])
  expect([await keysOf(app), await keysOf(app2)]).toEqual([[], ['x']])
  await app2.remove(['x'])
})
