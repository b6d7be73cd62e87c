import { setTimeout as sleep } from 'node:timers/promises'
import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { readFileSync, statSync } from 'node:fs'
import { dirname } from 'node:path'
import {
  countTime,
  emptyCounters,
  emptyDurations,
  openSqlite,
  openSqliteReadonly,
  quantileMs,
} from '@outgrow/databases'
import { makeSqlite, until } from '@outgrow/testing'
import { array, assert, double, property } from 'fast-check'
import { expect, test } from 'vitest'
import { examine, recordSigns, seriesOf, SignStore, type Sample } from '../src/index.ts'
import { dayOfSize, growthPerDay } from '../src/sqlite/growth.ts'
import { summarize } from '../src/summary.ts'
import { walReaders } from '../src/sqlite/wal.ts'

const table = 'CREATE TABLE t (id INTEGER PRIMARY KEY, payload TEXT)'

function levels(examination: Awaited<ReturnType<typeof examine>>): Record<string, string> {
  return Object.fromEntries(examination.signs.map(({ name, level }) => [name, level]))
}

test('a healthy file is fine, and is left as it was', async () => {
  const path = makeSqlite(table)
  const before = statSync(path)
  const examination = await examine({ url: `file:${path}`, windowMs: 300 })
  expect(examination.verdict).toBe('fine')
  expect(examination.reasons).toEqual([])
  const after = statSync(path)
  expect([after.size, after.mtimeMs]).toEqual([before.size, before.mtimeMs])
})

test('a file in another journal mode is told, and stays in it', async () => {
  const path = makeSqlite(table, (database) => database.pragma('journal_mode = DELETE'))
  const examination = await examine({ url: `file:${path}`, windowMs: 200 })
  expect(levels(examination)).toMatchObject({ journal: 'watch', 'lock-wait': 'fine' })
  const reader = openSqliteReadonly(path)
  expect(reader.pragma('journal_mode', { simple: true })).toBe('delete')
  reader.close()
})

test('a writer that holds the lock half of the time is seen from outside', async () => {
  const path = makeSqlite(table)
  const writer = openSqlite(path)
  const stop = new AbortController()
  const writing = (async () => {
    while (!stop.signal.aborted) {
      writer.exec("BEGIN IMMEDIATE; INSERT INTO t (payload) VALUES ('x')")
      await sleep(150)
      writer.exec('COMMIT')
      await sleep(50)
    }
  })()
  const { signs, sqlite, verdict } = await examine({ url: `file:${path}`, windowMs: 4000 })
  stop.abort()
  await writing
  writer.close()
  const duty = signs.find(({ name }) => name === 'write-duty')
  expect(duty?.value).toBeGreaterThan(0.4)
  expect(sqlite?.lock?.waits.longestMs).toBeGreaterThan(80)
  expect(verdict).not.toBe('fine')
})

test('a reader that never lets go is found, and a look takes no lock away from its own process', async () => {
  const path = makeSqlite(table)
  const writer = openSqlite(path)
  const reader = openSqliteReadonly(path)
  writer.exec("INSERT INTO t (payload) VALUES ('before')")
  const rows = reader.prepare('SELECT * FROM t').iterate()
  rows.next()
  for (let n = 0; n < 50; n++) writer.exec('INSERT INTO t (payload) VALUES (hex(randomblob(3000)))')
  const { sqlite } = await examine({ url: `file:${path}`, windowMs: 300 })
  const [checkpoint] = writer.pragma('wal_checkpoint(PASSIVE)') as { log: number; checkpointed: number }[]
  expect(sqlite?.lagPages).toBeGreaterThan(50)
  // The reader still keeps the WAL from being checkpointed: its lock is where it was.
  expect(checkpoint?.checkpointed).toBeLessThan(10)
  const isListed = [...walReaders(path)].some((one) => one.startsWith(`${process.pid}:`))
  expect(isListed).toBe(process.platform === 'linux')
  rows.return?.()
  reader.close()
  writer.close()
})

test('what processes count is kept, added up and drawn, whatever databases share the store', async () => {
  const path = makeSqlite(table)
  const directory = dirname(path)
  const counters = emptyCounters()
  const recording = recordSigns({
    url: `file:${path}`,
    counters: () => counters,
    directory,
    process: 'web',
    everyMs: 20,
  })
  const other = recordSigns({
    url: `file:${path}-other`,
    counters: () => emptyCounters(),
    directory,
    process: 'web',
    everyMs: 20,
  })
  await until(() => {
    using known = new SignStore(directory)
    return known.since(`file:${path}`, 0).length > 1
  })
  counters.busyByCode.SQLITE_BUSY = 300
  for (let n = 0; n < 100; n++) countTime(counters.waits, n < 90 ? 0.1 : 700)
  counters.writes.totalMs += 60
  recording.stop()
  other.stop()
  using store = new SignStore(directory)
  const samples = store.since(`file:${path}`, 0)
  expect(samples.length).toBeGreaterThan(2)
  const { signs } = await examine({ url: `file:${path}`, windowMs: 200, store })
  expect(signs.find(({ name }) => name === 'lock-wait')).toMatchObject({ level: 'plan' })
  expect(signs.find(({ name }) => name === 'busy-errors')?.text).toMatch(/SQLITE_BUSY \d{3,}/)
  const to = Date.now()
  const series = seriesOf(samples, { from: to - 60_000, to, slotMs: 1000 })
  expect(Math.max(...series.lockWaitP99Ms.map((value) => value ?? 0))).toBeGreaterThan(500)
  expect(series.time).toHaveLength(61)
  expect(Object.keys(series.busy)).toEqual(['SQLITE_BUSY'])
})

test('the day of 1 GB follows from the growth, and from nothing shorter than an hour', () => {
  const hour = 3_600_000
  const growing = Array.from({ length: 49 }, (_, n) => ({ at: n * hour, sizeBytes: 5e8 + n * 1e6 }))
  const perDay = growthPerDay(growing)
  expect(perDay).toBeCloseTo(24e6, 0)
  expect(dayOfSize(1e9, 548e6, perDay, 48 * hour)?.getTime()).toBeCloseTo(
    48 * hour + ((1e9 - 548e6) / 24e6) * 24 * hour,
    -3,
  )
  expect(growthPerDay(growing.slice(0, 1))).toBeUndefined()
  expect(dayOfSize(1e9, 5e8, -1, 0)).toBeUndefined()
})

test('a day is kept whole, two months thinly, and nothing longer', () => {
  const directory = dirname(makeSqlite(table))
  using store = new SignStore(directory)
  const day = 86_400_000
  const start = Date.UTC(2026, 0, 1)
  const values = {
    kind: 'outside',
    sizeBytes: 1,
    walBytes: 0,
    lagPages: 0,
    pageBytes: 4096,
    lock: null,
  } as const
  const add = (at: number) => store.add('file:x', { at, process: 'p', run: 'r', values })
  for (let n = 0; n < 240; n++) add(start + n * 5000) // twenty minutes
  const kept = () => store.since('file:x', 0).map(({ at }) => (at - start) / 5000)
  expect(kept()).toHaveLength(240)
  expect(store.since('file:x', 0, 600_000).map(({ at }) => (at - start) / 5000)).toEqual([0, 119, 120, 239])
  expect(store.sizes('file:x', 0)).toHaveLength(2)
  add(start + 2 * day)
  expect(kept()).toEqual([0, 120, (2 * day) / 5000])
  add(start + 61 * day)
  expect(kept()).toEqual([(2 * day) / 5000, (61 * day) / 5000])
})

test('what two processes count adds up, each over its own time, and slots follow on each other', () => {
  const start = Date.UTC(2026, 0, 1)
  // Each holds the lock a fifth of the time and meets one busy error a second; they count at different moments.
  const counted = (run: string, offsetMs: number, n: number): Sample => {
    const counters = emptyCounters()
    counters.writes.totalMs = n * 1000
    counters.busyByCode.SQLITE_BUSY = n * 5
    const eventLoop = { p50Ms: 0, p99Ms: n, longestMs: n }
    return {
      at: start + offsetMs + n * 5000,
      process: run,
      run,
      values: { kind: 'inside', ...counters, eventLoop },
    }
  }
  const samples = Array.from({ length: 9 }, (_, n) => [counted('a', 0, n), counted('b', 3500, n)])
    .flat()
    .toSorted((x, y) => x.at - y.at)
  const all = summarize(samples)
  expect(all?.duty).toBeCloseTo(0.4)
  expect(all?.busyPerMinute.SQLITE_BUSY).toBeCloseTo(120)
  // The last two slots alone tell what the whole series tells of them.
  const range = { to: start + 40_000, slotMs: 10_000 }
  const whole = seriesOf(samples, { ...range, from: start })
  const end = seriesOf(samples, { ...range, from: start + 30_000 })
  expect(end.duty).toEqual(whole.duty.slice(-2))
  expect(end.duty.every((value) => Math.abs((value ?? 0) - 40) < 0.001)).toBe(true)
  expect(end.busy.SQLITE_BUSY?.[0]).toBeCloseTo(120)
})

test('a file that a killed process left with a WAL is not touched', async () => {
  const path = makeSqlite(table)
  const script = `
    const { openSqlite } = await import(${JSON.stringify(import.meta.resolve('@outgrow/databases'))})
    const database = openSqlite(${JSON.stringify(path)})
    for (let n = 0; n < 50; n++) database.exec('INSERT INTO t (payload) VALUES (hex(randomblob(3000)))')
    process.kill(process.pid, 'SIGKILL')`
  spawnSync(process.execPath, ['--input-type=module', '-e', script])
  const hash = (file: string) => createHash('sha256').update(readFileSync(file)).digest('hex')
  const before = [hash(path), hash(`${path}-wal`)]
  const { sqlite, signs } = await examine({ url: `file:${path}`, windowMs: 300 })
  expect(sqlite?.lagPages).toBeGreaterThan(50)
  expect(signs.find(({ name }) => name === 'busy-errors')).toMatchObject({ level: 'unknown', value: null })
  expect([hash(path), hash(`${path}-wal`)]).toEqual(before)
})

test('a quantile is never further off than its slot', () => {
  assert(
    property(
      array(double({ min: 0, max: 60_000, noNaN: true }), { minLength: 1, maxLength: 200 }),
      (times) => {
        const durations = emptyDurations()
        for (const ms of times) countTime(durations, ms)
        const sorted = times.toSorted((a, b) => a - b)
        const exact = sorted[Math.max(0, Math.ceil(times.length * 0.99) - 1)] as number
        const told = quantileMs(durations, 0.99) as number
        expect(told).toBeLessThanOrEqual(Math.min(Math.max(...times), Math.max(1, exact * 2)))
        expect(told).toBeGreaterThanOrEqual(exact < 1 ? 0 : exact / 2)
      },
    ),
  )
})
