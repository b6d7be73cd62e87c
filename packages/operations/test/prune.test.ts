import { expect, test } from 'vitest'
import { planPrune } from '../src/backup/catalog/plan-prune.ts'
import type { Catalog, StoredBackup } from '../src/backup/catalog/read-catalog.ts'
import { statesOf } from '../src/backup/catalog/backup-states.ts'

const now = new Date('2026-11-26T12:00:00Z') // a Thursday

/** A backup of a moment, and the drills of it. */
function backup(
  createdAt: string,
  drills: boolean[] = [],
  more: Partial<StoredBackup> = {},
  provider: 'sqlite' | 'postgres' = 'sqlite',
): StoredBackup {
  const id = createdAt.slice(0, 16)
  const at = new Date(createdAt).toISOString()
  const sizes = { storedBytes: 10, plainBytes: 20, keyId: null }
  return {
    id,
    header: { id, provider, method: 'file', createdAt: at, finishedAt: at, ...sizes },
    problem: undefined,
    isForeign: false,
    takenAt: at,
    drills: drills.map((ok, age) => ({
      id,
      at: new Date(now.getTime() - age * 3600_000).toISOString(),
      ok,
      ms: 1,
      keyId: null,
    })),
    keys: [`${id}/manifest.json`],
    ...more,
  }
}

const daily = (days: number) =>
  Array.from({ length: days }, (_, at) => backup(new Date(now.getTime() - at * 86_400_000).toISOString()))

const planned = (
  backups: StoredBackup[],
  keepDaily: number,
  keepWeekly: number,
  leftovers: Catalog['leftovers'] = [],
) => planPrune({ backups, leftovers }, { keepDaily, keepWeekly }, now)

test('the newest of each of the last days and weeks stays, and says why', () => {
  const { keep, remove } = planned(daily(40), 7, 4)
  expect(keep.map(({ id }) => id.slice(5, 10))).toEqual([
    '11-26',
    '11-25',
    '11-24',
    '11-23',
    '11-22',
    '11-21',
    '11-20',
    '11-15',
    '11-08',
  ])
  expect(keep.at(-1)?.reasons).toEqual(['of the week of 2026-11-02'])
  expect(remove).toHaveLength(31)
})

test('of several of one day the newest stays', () => {
  const backups = ['2026-11-26T11:00Z', '2026-11-26T03:00Z', '2026-11-25T23:59Z', '2026-11-25T00:00Z'].map(
    (at) => backup(at),
  )
  expect(planned(backups, 2, 0).keep.map(({ id }) => id)).toEqual(['2026-11-26T11:00', '2026-11-25T23:59'])
})

test('days without a backup are not counted: after a month without any, all stays that would have stayed', () => {
  const old = daily(3).map((one) => backup(one.header?.createdAt.replace('2026-11', '2025-11') ?? ''))
  expect(planned(old, 7, 4).remove).toEqual([])
})

test('the newest stays whatever the policy says', () => {
  expect(planned(daily(3), 0, 0).keep).toEqual([{ id: '2026-11-26T12:00', reasons: ['the newest'] }])
})

test('the newest that a drill has proved stays, though its day and week are long over', () => {
  const backups = [...daily(3), backup('2026-09-01T03:00Z', [true]), backup('2026-08-01T03:00Z', [true])]
  const { keep } = planned(backups, 1, 1)
  expect(keep).toContainEqual({ id: '2026-09-01T03:00', reasons: ['the newest that a drill has proved'] })
  expect(keep.map(({ id }) => id)).not.toContain('2026-08-01T03:00')
})

test('a backup whose last drill failed is not proved', () => {
  const backups = [
    ...daily(2),
    backup('2026-09-01T03:00Z', [false, true]),
    backup('2026-08-01T03:00Z', [true]),
  ]
  expect(planned(backups, 1, 0).keep.map(({ id }) => id)).toEqual(['2026-11-26T12:00', '2026-08-01T03:00'])
})

test('one that is not whole stands for nothing: it takes no day, and is neither the newest nor proved', () => {
  const damaged = backup('2026-11-26T12:30Z', [true], { problem: 'half of it is missing' })
  const { keep, remove } = planned([damaged, backup('2026-11-26T03:00Z')], 1, 0)
  expect(keep).toContainEqual({ id: '2026-11-26T03:00', reasons: ['the newest', 'of 2026-11-26'] })
  expect(remove).toEqual([])
})

test('one that is not whole goes once it is a day old and a newer one is whole', () => {
  const problem = 'half of it is missing'
  const broken = (at: string) => backup(at, [], { problem })
  const whole = backup('2026-11-24T03:00Z')
  expect(planned([broken('2026-11-24T04:00Z'), whole], 1, 0).remove).toEqual([])
  expect(planned([backup('2026-11-26T03:00Z'), broken('2026-11-26T02:00Z')], 1, 0).remove).toEqual([])
  expect(planned([whole, broken('2026-11-24T02:00Z')], 1, 0).remove).toMatchObject([
    { id: '2026-11-24T02:00', reason: 'not whole: half of it is missing' },
  ])
})

test('what another version of Outgrow made is never removed', () => {
  const foreign = backup('2025-11-24T02:00Z', [], { problem: 'unknown', header: undefined, isForeign: true })
  const { keep, remove } = planned([...daily(2), foreign], 1, 0)
  expect(keep).toContainEqual({ id: foreign.id, reasons: ['another version of Outgrow made it'] })
  expect(remove).toHaveLength(1)
})

test('where none is whole, nothing is removed', () => {
  const damaged = backup('2026-11-26T03:00Z', [], { problem: 'half of it is missing', header: undefined })
  expect(planned([damaged], 0, 0).remove).toEqual([])
})

test('each kind of backup is counted for itself', () => {
  const backups = [backup('2026-11-26T03:00Z', [], {}, 'postgres'), backup('2026-11-25T03:00Z')]
  expect(planned(backups, 0, 0).remove).toEqual([])
})

test('what a run left is removed once it is a day old', () => {
  const left = (id: string, hours: number) => ({
    id,
    keys: [`${id}/part`],
    sizeBytes: 1,
    modifiedAt: new Date(now.getTime() - hours * 3600_000),
  })
  expect(planned(daily(1), 1, 1, [left('young', 23), left('old', 25)]).leftovers.map(({ id }) => id)).toEqual(
    ['old'],
  )
})

test('the states of a storage are those of its newest whole backup and of its last drill', () => {
  const backups = [
    backup('2026-11-26T06:00Z', [], { problem: 'gone' }),
    backup('2026-11-26T03:00Z'),
    backup('2026-11-24T03:00Z', [false, true]),
  ]
  expect(statesOf(backups, now)).toMatchObject({
    newest: { id: '2026-11-26T03:00', ageSeconds: 9 * 3600, storedBytes: 10 },
    drill: { id: '2026-11-24T03:00', ok: false, ageSeconds: 0 },
    proved: { id: '2026-11-24T03:00', ageSeconds: 3600 },
    notWhole: 1,
  })
  expect(statesOf([], now)).toEqual({
    newest: null,
    drill: null,
    proved: null,
    notWhole: 0,
  })
})
