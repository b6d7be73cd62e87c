import { expect, test } from 'vitest'
import { backupStates } from '../src/backup/catalog/backup-states.ts'
import { listBackups } from '../src/backup/catalog/list-backups.ts'
import { nextWork } from '../src/backup/runs/next-work.ts'
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
  expect(nextWork(states(backupAge, drillAge), schedule)).toEqual(work)
})

test('without an interval there is no drill', () => {
  expect(nextWork(states(hour, null), { ...schedule, drillEveryMs: undefined })).toEqual({
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
  let isAway = true
  const flaky: Storage = new Proxy(storage, {
    get: (target, name: keyof Storage) => {
      if (name === 'prepare' && isAway) {
        isAway = false
        return () =>
          Promise.reject(new Failure({ code: 'OUTGROW_STORAGE_UNAVAILABLE', message: 'It is away.' }))
      }
      const value = target[name]
      return typeof value === 'function' ? (value as () => unknown).bind(target) : value
    },
  })
  const running = runSchedule({
    storage: flaky,
    workDir,
    url: `file:${file}`,
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
  expect(failures).toEqual([{ code: 'OUTGROW_STORAGE_UNAVAILABLE', retryMs: 10 }])
  expect(done[0]?.is).toBe('backup')
  expect(done.every((work) => work.is === 'backup' || work.drill.ok)).toBe(true)
  // The newest of the day, and the last that a drill has proved.
  expect((await listBackups(storage)).length).toBeLessThanOrEqual(2)
  expect((await backupStates(storage)).proved).not.toBe(null)
})
