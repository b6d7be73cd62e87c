import { expect, test } from 'vitest'
import { backupStates } from '../src/backup/catalog/backup-states.ts'
import { chooseForDrill } from '../src/backup/catalog/choose-backup.ts'
import { writeManifest } from '../src/backup/catalog/documents.ts'
import { listBackups } from '../src/backup/catalog/list-backups.ts'
import { readCatalog } from '../src/backup/catalog/read-catalog.ts'
import { newBackupId } from '../src/backup/model/keys.ts'
import { nextWork, nothingTried } from '../src/backup/runs/next-work.ts'
import { runSchedule, type ScheduledWork } from '../src/backup/runs/run-schedule.ts'
import type { Storage } from '../src/backup/model/storage.ts'
import { makeSqlite, until } from '@outgrow/testing'
import { Failure } from '@outgrow/kit'
import { key, makeBackups } from './backups.ts'

const hour = 3600
const day = 24 * hour
const schedule = { everyMs: day * 1000, drillEveryMs: 7 * day * 1000 }
const states = (backupAge: number | null, drillAge: number | null) => ({
  newest:
    backupAge === null
      ? null
      : { id: '', createdAt: '', ageSeconds: backupAge, storedBytes: 1, durationSeconds: 1 },
  drill: drillAge === null ? null : { id: '', at: '', ageSeconds: drillAge, ok: false, seconds: 1 },
  proved: null,
  notWhole: 0,
})

test.each([
  [null, null, { is: 'backup' }],
  [null, 0, { is: 'backup' }],
  [day, 0, { is: 'backup' }],
  [hour, null, { is: 'drill' }],
  // One that failed counts as well: that it fails is known, and an alert.
  [hour, 7 * day, { is: 'drill' }],
  [hour, 3 * hour, { is: 'wait', ms: 23 * hour * 1000 }],
  [hour, 7 * day - 60, { is: 'wait', ms: 60_000 }],
])('a backup of %s s ago and a drill of %s s ago', (backupAge, drillAge, work) => {
  expect(nextWork(states(backupAge, drillAge), schedule, nothingTried)).toEqual(work)
})

test('a backup that is due goes first, however long a drill is overdue, and after it the drill', () => {
  const due = states(day, null)
  expect(nextWork(due, schedule, nothingTried)).toEqual({ is: 'backup' })
  expect(nextWork(due, schedule, { last: 'drill', drillAgoMs: Infinity })).toEqual({ is: 'backup' })
  // Backups may take longer than their interval.
  expect(nextWork(due, schedule, { last: 'backup', drillAgoMs: Infinity })).toEqual({ is: 'drill' })
})

test('a drill that could not be made counts as one until the next backup is due', () => {
  const tried = { last: 'drill' as const, drillAgoMs: hour * 1000 }
  expect(nextWork(states(day, null), schedule, tried)).toEqual({ is: 'backup' })
  expect(nextWork(states(hour, null), schedule, tried)).toEqual({ is: 'wait', ms: 23 * hour * 1000 })
  expect(nextWork(states(hour, null), schedule, { ...tried, drillAgoMs: day * 1000 })).toEqual({
    is: 'drill',
  })
})

test('without an interval there is no drill', () => {
  expect(nextWork(states(hour, null), { ...schedule, drillEveryMs: undefined }, nothingTried)).toEqual({
    is: 'wait',
    ms: 23 * hour * 1000,
  })
})

test('a schedule backs up, prunes and drills when it is due, and goes on after a failure', async () => {
  const { storage, workDir } = makeBackups()
  const file = makeSqlite('CREATE TABLE t (id INTEGER PRIMARY KEY, v TEXT); INSERT INTO t VALUES (1, 42)')
  const stop = new AbortController()
  const done: ScheduledWork[] = []
  const failures: { code: string; retryMs: number }[] = []
  const wrong: Error[] = [
    new Failure({ code: 'OUTGROW_STORAGE_UNAVAILABLE', message: 'It is away.' }),
    // As Node throws it.
    Object.assign(new Error('ENOSPC: no space left on device, write'), { code: 'ENOSPC', syscall: 'write' }),
  ]
  const flaky: Storage = new Proxy(storage, {
    get: (target, name: keyof Storage) => {
      const error = name === 'prepare' ? wrong.shift() : undefined
      if (error) return () => Promise.reject(error)
      const value = target[name]
      return typeof value === 'function' ? (value as () => unknown).bind(target) : value
    },
  })
  const running = runSchedule({
    storage: flaky,
    workDir,
    database: async () => `file:${file}`,
    protection: key,
    everyMs: 500,
    drillEveryMs: 1000,
    firstRetryMs: 10,
    keepDaily: 7,
    keepWeekly: 4,
    server: undefined,
    signal: stop.signal,
    onProgress: () => {},
    onDone: (work) => done.push(work),
    onFailure: ({ code }, retryMs) => failures.push({ code, retryMs }),
  })
  const of = (kind: ScheduledWork['is']) => done.filter(({ is }) => is === kind).length
  await until(() => of('backup') >= 3 && of('drill') >= 2)
  stop.abort(new Error('enough'))
  await expect(running).rejects.toThrow('enough')
  expect(failures).toEqual([
    { code: 'OUTGROW_STORAGE_UNAVAILABLE', retryMs: 10 },
    { code: 'OUTGROW_SYSTEM', retryMs: 20 },
  ])
  expect(done[0]?.is).toBe('backup')
  expect(done.every((work) => work.is !== 'drill' || work.drill.ok)).toBe(true)
  // The newest of the day, and the last that a drill has proved.
  expect((await listBackups(storage)).length).toBeLessThanOrEqual(2)
  expect((await backupStates(storage)).proved).not.toBe(null)
})

test('a backup that was stored is told of although nothing could be pruned after it', async () => {
  const { storage, workDir } = makeBackups()
  const stop = new AbortController()
  const told: string[] = []
  const cannotPrune: Storage = new Proxy(storage, {
    get: (target, name: keyof Storage) => {
      if (name === 'unfinished') throw new Failure({ code: 'OUTGROW_STORAGE_DENIED', message: 'No.' })
      const value = target[name]
      return typeof value === 'function' ? (value as () => unknown).bind(target) : value
    },
  })
  const running = runSchedule({
    storage: cannotPrune,
    workDir,
    database: async () => `file:${makeSqlite('CREATE TABLE t (v TEXT); INSERT INTO t VALUES (42)')}`,
    protection: key,
    everyMs: 300,
    drillEveryMs: undefined,
    keepDaily: 7,
    keepWeekly: 4,
    server: undefined,
    signal: stop.signal,
    onProgress: () => {},
    onDone: ({ is }) => told.push(is),
    onFailure: ({ code }, retryMs, of) => told.push(`${of} ${code} ${retryMs}`),
  })
  await until(() => told.length >= 4)
  stop.abort(new Error('enough'))
  await expect(running).rejects.toThrow('enough')
  const failed = 'prune OUTGROW_STORAGE_DENIED 300'
  expect(told.slice(0, 4)).toEqual(['backup', failed, 'backup', failed])
})

test('a drill that cannot be made stops no backup', async () => {
  const { storage, workDir } = makeBackups()
  const stop = new AbortController()
  const done: ScheduledWork[] = []
  const failures: string[] = []
  const cannotDrill: Storage = new Proxy(storage, {
    get: (target, name: keyof Storage) => {
      if (name === 'put') {
        return (...[key, body, options]: Parameters<Storage['put']>) =>
          key.includes('/drill-')
            ? Promise.reject(new Failure({ code: 'OUTGROW_STORAGE_DENIED', message: 'No drill there.' }))
            : storage.put(key, body, options)
      }
      const value = target[name]
      return typeof value === 'function' ? (value as () => unknown).bind(target) : value
    },
  })
  const running = runSchedule({
    storage: cannotDrill,
    workDir,
    database: async () => `file:${makeSqlite('CREATE TABLE t (v TEXT); INSERT INTO t VALUES (42)')}`,
    protection: key,
    everyMs: 300,
    drillEveryMs: 600,
    keepDaily: 7,
    keepWeekly: 4,
    server: undefined,
    signal: stop.signal,
    onProgress: () => {},
    onDone: (work) => done.push(work),
    onFailure: ({ code }, retryMs) => failures.push(`${code} ${retryMs}`),
  })
  await until(() => done.length >= 3 && failures.length >= 2)
  stop.abort(new Error('enough'))
  await expect(running).rejects.toThrow('enough')
  expect(done.every(({ is }) => is !== 'drill')).toBe(true)
  expect(new Set(failures)).toEqual(new Set(['OUTGROW_STORAGE_DENIED 300']))
})

test('backups of another kind in the same place stand for none, and are not drilled instead', async () => {
  const { storage, workDir, backup } = makeBackups()
  const url = `file:${makeSqlite('CREATE TABLE t (v TEXT); INSERT INTO t VALUES (42)')}`
  const made = await backup(url)
  const putOther = async (kind: Pick<typeof made, 'provider' | 'method'>, at: Date) => {
    const id = newBackupId(at)
    const none = { parts: [], storedBytes: 0, plainBytes: 0 }
    await writeManifest(storage, { ...made, ...kind, ...none, id, createdAt: at.toISOString() }, key)
    return id
  }
  await putOther({ provider: 'postgres', method: 'dump' }, new Date())
  await putOther({ provider: 'postgres', method: 'base' }, new Date())
  await storage.remove(made.parts.map(({ name }) => `${made.id}/${name}`).concat(`${made.id}/manifest.json`))
  const stop = new AbortController()
  const done: ScheduledWork[] = []
  const running = runSchedule({
    storage,
    workDir,
    database: async () => url,
    protection: key,
    ...schedule,
    keepDaily: 7,
    keepWeekly: 4,
    server: undefined,
    signal: stop.signal,
    onProgress: () => {},
    onDone: (work) => done.push(work),
    onFailure: (failure) => stop.abort(failure),
  })
  const ended = running.catch((error: unknown) => error)
  await Promise.race([ended, until(() => done.length >= 3)])
  stop.abort(new Error('enough'))
  expect(await ended).toMatchObject({ message: 'enough' })
  expect(done).toMatchObject([
    { is: 'backup', manifest: { provider: 'sqlite' } },
    { is: 'prune' },
    { is: 'drill', drill: { ok: true } },
  ])

  const base = await putOther({ provider: 'postgres', method: 'base' }, new Date())
  const catalog = await readCatalog(storage)
  const chosen = (which: object) => chooseForDrill(catalog, { id: undefined, which }, '').header
  expect(chosen({})).toMatchObject({ id: base })
  expect(chosen({ provider: 'postgres', withoutBase: true })).toMatchObject({ method: 'dump' })
  expect((await backupStates(storage, { provider: 'postgres', withoutBase: true })).newest).toMatchObject({
    id: chosen({ provider: 'postgres', withoutBase: true })?.id,
  })
})

test('a schedule backs up the database that the rows are in by then', async () => {
  const { storage, workDir } = makeBackups()
  const [before, after] = ['before', 'after'].map((name) => `file:${makeSqlite(`CREATE TABLE ${name} (v)`)}`)
  const stop = new AbortController()
  const tables: string[] = []
  const running = runSchedule({
    storage,
    workDir,
    database: async () => (tables.length === 0 ? before : after) as string,
    protection: key,
    everyMs: 1,
    drillEveryMs: undefined,
    keepDaily: 7,
    keepWeekly: 4,
    server: undefined,
    signal: stop.signal,
    onProgress: () => {},
    onDone: (work) => {
      if (work.is === 'backup') tables.push(work.manifest.tables.at(-1)?.name ?? '')
      if (tables.length === 2) stop.abort(new Error('enough'))
    },
    onFailure: (failure) => stop.abort(failure),
  })
  await expect(running).rejects.toThrow('enough')
  expect(tables).toEqual(['before', 'after'])
})
