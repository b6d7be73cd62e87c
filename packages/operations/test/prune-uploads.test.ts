import { randomBytes } from 'node:crypto'
import { readdirSync, readFileSync, utimesSync } from 'node:fs'
import { join } from 'node:path'
import { CreateMultipartUploadCommand, S3Client, UploadPartCommand } from '@aws-sdk/client-s3'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { runPrune } from '../src/backup/runs/run-prune.ts'
import { bytesOf } from '../src/backup/seal/sealed-document.ts'
import { openStorage } from '../src/backup/storage/open-storage.ts'
import { startS3, type S3Server } from './s3-server.ts'

let s3: S3Server

beforeAll(async () => {
  s3 = await startS3()
})

afterAll(() => s3.stop())

const now = Date.now() / 1000
const hours = 3600

/** An upload that began two days ago, and has stored a part since. */
async function upload(Key: string, partHoursAgo: number): Promise<void> {
  const client = new S3Client({ forcePathStyle: true })
  const at = { Bucket: 'backups', Key }
  const { UploadId = '' } = await client.send(new CreateMultipartUploadCommand(at))
  await client.send(new UploadPartCommand({ ...at, UploadId, PartNumber: 1, Body: randomBytes(10) }))
  const folder = join(s3.folder, '._S3rver_uploads', UploadId)
  for (const name of readdirSync(folder)) {
    const age = (/^\d+$/.test(name) ? partHoursAgo : 48) * hours
    utimesSync(join(folder, name), now - age, now - age)
  }
}

const uploads = () => {
  const folder = join(s3.folder, '._S3rver_uploads')
  return readdirSync(folder).map((id) => readFileSync(join(folder, id, 'key'), 'utf8'))
}

test('prune removes uploads of its own that have stored nothing for a day, and nothing of what still runs', async () => {
  const running = '20261101T000000Z-00000001'
  const killed = '20261101T000000Z-00000002'
  const segment = `wal/4f/${'0'.repeat(23)}1`
  const stay = [
    `app/${running}/pg_data.tar`,
    `app2/${killed}/database.sqlite`,
    'app/photos/1.jpg',
    'app/wal/x',
  ]
  const go = [`app/${killed}/database.sqlite`, `app/${segment}`]
  for (const key of [...stay, ...go]) await upload(key, key.includes(running) ? 1 : 47)
  const storage = await openStorage('s3://backups/app')
  for (const id of [running, killed]) {
    await storage.put(`${id}/first.part`, bytesOf('finished'))
    for (const name of readdirSync(join(s3.folder, 'app', id)))
      utimesSync(join(s3.folder, 'app', id, name), now - 47 * hours, now - 47 * hours)
  }
  const other = await openStorage('s3://backups/app2')
  await other.put(`${killed}/first.part`, bytesOf('of another database'))

  const { signal } = new AbortController()
  const pruned = await runPrune({ storage, keepDaily: 7, keepWeekly: 4, dryRun: false, signal })
  expect(pruned.unfinished.toSorted()).toEqual(go.map((key) => key.slice('app/'.length)).toSorted())
  expect(pruned.leftovers.map(({ id }) => id)).toEqual([killed])
  expect(uploads().toSorted()).toEqual(stay.toSorted())
  const left: string[] = []
  for await (const { key } of storage.list('')) left.push(key)
  for await (const { key } of other.list('')) left.push(key)
  expect(left).toEqual([`${running}/first.part`, `${killed}/first.part`])
})

test('prune of a whole bucket leaves the uploads of other applications alone', async () => {
  const before = uploads()
  expect(before).toContain('app/photos/1.jpg')
  const { signal } = new AbortController()
  const storage = await openStorage('s3://backups')
  expect(
    (await runPrune({ storage, keepDaily: 7, keepWeekly: 4, dryRun: false, signal })).unfinished,
  ).toEqual([])
  expect(uploads()).toEqual(before)
})
