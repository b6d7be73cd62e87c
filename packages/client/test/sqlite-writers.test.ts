import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'
import { openSqlite } from '@outgrow/databases'
import { until } from '@outgrow/testing'
import { expect, test } from 'vitest'
import { openSample } from '@outgrow/sample'
import { openFresh } from './databases.ts'

const run = promisify(execFile)
const seconds = Number(process.env.OUTGROW_WRITER_SECONDS ?? 4)

const stockTimeoutMs = 5000

const item = { slug: 'counter', name: 'Counter' }
const account = { id: 'a', name: 'A', slug: 'a' }

test(`two processes write one file for ${seconds} s: no lost update, no wedge, no frozen event loop`, async () => {
  const { database, url, dispose } = await openFresh('sqlite')
  await database.client.account.create({ data: account })
  await database.client.item.create({ data: { ...item, accountId: 'a' } })
  const script = join(import.meta.dirname, 'write-many.ts')
  const writers = await Promise.all(
    [1, 2].map(() => run(process.execPath, [script, url, String(seconds * 1000)])),
  )
  const results = writers.map(({ stdout }) => JSON.parse(stdout) as { added: number; longestGapMs: number })
  const { visits } = await database.client.item.findUniqueOrThrow({ where: { slug: 'counter' } })
  await dispose()
  expect(Number(visits)).toBe(results.reduce((sum, { added }) => sum + added, 0))
  for (const { added, longestGapMs } of results) {
    expect(added).toBeGreaterThan(10)
    // The stock adapter stands still for its whole busy timeout; a busy machine alone does not take most of it.
    expect(longestGapMs).toBeLessThan(stockTimeoutMs * 0.9)
  }
}, 600_000)

test('a wait for another connection’s lock leaves the event loop free, and is counted', async () => {
  const { database, url, dispose } = await openFresh('sqlite')
  const other = openSqlite(new URL(url).pathname)
  other.exec('BEGIN IMMEDIATE')
  let ticks = 0
  const pulse = setInterval(() => ticks++, 5)
  // A Prisma promise starts when it is awaited.
  const write = (async () => database.client.label.create({ data: { name: 'waited' } }))()
  const begun = performance.now()
  await until(() => ticks > 20)
  const heldMs = performance.now() - begun
  other.exec('COMMIT')
  await write
  clearInterval(pulse)
  other.close()
  const { busyByCode, waits } = database.counters()
  expect(busyByCode).toEqual({ SQLITE_BUSY: expect.any(Number) as number })
  expect(waits.longestMs).toBeGreaterThan(heldMs / 2)
  await dispose()
})

test('a lock that is never given back ends in P1008, and the client goes on afterwards', async () => {
  const { database, url, dispose } = await openFresh('sqlite', '?lock_timeout=0.2')
  const other = openSqlite(new URL(url).pathname)
  other.exec('BEGIN IMMEDIATE')
  await expect(database.client.label.create({ data: { name: 'late' } })).rejects.toMatchObject({
    code: 'P1008',
  })
  other.exec('ROLLBACK')
  other.close()
  await database.client.label.create({ data: { name: 'after' } })
  expect(await database.client.label.findMany({ select: { name: true } })).toEqual([{ name: 'after' }])
  await dispose()
})

test('one file is one client, and the last close closes it', async () => {
  const { database, url, dispose } = await openFresh('sqlite')
  const second = await openSample(url)
  expect(second.client).toBe(database.client)
  await second.close()
  await database.client.label.create({ data: { name: 'still open' } })
  await dispose()
})

test('close waits for the transaction that is open', async () => {
  const { database, url } = await openFresh('sqlite')
  const begun = Promise.withResolvers<void>()
  const work = database.client.$transaction(async (tx) => {
    begun.resolve()
    await tx.label.create({ data: { name: 'drained' } })
    await sleep(100)
  })
  await begun.promise
  await database.close()
  await work.catch(() => {})
  const again = await openSample(url)
  expect(await again.client.label.count()).toBe(1)
  await again.close()
})
