import { expect, test } from 'vitest'
import { backupSigns, type BackupReading } from '../src/backup-signs.ts'

const hours = (count: number) => count * 3600
const of = (newest: number | null, drill: number | null, ok = true): BackupReading => ({
  location: '/backups',
  newest: newest === null ? null : { ageSeconds: hours(newest) },
  drill: drill === null ? null : { ageSeconds: hours(drill), ok },
})

test.each<[string, BackupReading, string, string]>([
  ['young ones', of(25, 100), 'fine', 'fine'],
  ['one that is late', of(27, 100), 'watch', 'fine'],
  ['one that is days late', of(60, 100), 'plan', 'fine'],
  ['none', of(null, null), 'plan', 'plan'],
  ['a drill that is late', of(1, 8 * 24 + 1), 'fine', 'watch'],
  ['a drill that is weeks late', of(1, 400), 'fine', 'plan'],
  ['a drill that failed a minute ago', of(1, 0.02, false), 'fine', 'plan'],
  ['a storage that cannot be read', { location: '/backups', problem: 'it is away' }, 'plan', 'unknown'],
  ['no storage that anybody knows of', { reason: 'not known' }, 'unknown', 'unknown'],
])('with %s', (_, reading, backup, drill) => {
  const signs = backupSigns(reading)
  expect(signs.map(({ name, level }) => [name, level])).toEqual([
    ['backup', backup],
    ['drill', drill],
  ])
  const attention = signs.filter(({ level }) => level === 'watch' || level === 'plan')
  expect(attention.every(({ advice }) => advice !== '')).toBe(true)
})
