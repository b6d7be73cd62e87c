import { Failure } from '@outgrow/kit'
import { describe, expect, test } from 'vitest'
import type { ArchiveCheck } from '../../src/backup/archiving/judge.ts'
import type { Manifest } from '../../src/backup/model/manifest.ts'
import { chooseBase, type Coverage } from '../../src/backup/pitr/coverage.ts'
import { judgeCoverage } from '../../src/backup/pitr/judge-coverage.ts'

const noon = (minutes: number) => new Date(Date.UTC(2026, 0, 31, 12, minutes))

function coverage(id: string, archive: string, from: number, until: number, broken?: Failure): Coverage {
  const segment = '000000010000000000000001'
  return {
    manifest: { id } as Manifest,
    details: {
      archive,
      systemIdentifier: '1',
      segmentBytes: 16 << 20,
      firstSegment: segment,
      lastSegment: segment,
      consistentAt: noon(from).toISOString(),
    },
    from: noon(from),
    chain: [segment],
    until: noon(until),
    broken,
  }
}

const gap = new Failure({ code: 'OUTGROW_WAL_GAP', message: 'one is missing' })

describe('the base backup to recover from', () => {
  const newest = coverage('newest', 'one', 20, 40)
  const older = coverage('older', 'one', 0, 40)
  const choose = (coverages: Coverage[], at: number | undefined) => {
    try {
      return chooseBase(coverages, at === undefined ? undefined : noon(at), 'store').manifest.id
    } catch (error) {
      return error instanceof Failure ? error.code : error
    }
  }

  test.each([
    ['the newest without a time', [newest, older], undefined, 'newest'],
    ['the newest from before a time', [newest, older], 30, 'newest'],
    ['an older one for a time before the newest', [newest, older], 10, 'older'],
    ['exactly when it is consistent', [newest, older], 20, 'newest'],
    ['none before the first', [newest, older], -1, 'OUTGROW_RECOVERY_RANGE'],
    ['none after the last WAL', [newest, older], 41, 'OUTGROW_RECOVERY_RANGE'],
    ['none at all', [], 10, 'OUTGROW_BACKUP_NOT_FOUND'],
    ['one whose WAL has a gap only later', [coverage('a', 'one', 0, 20, gap)], 10, 'a'],
    ['none for a time behind a gap', [coverage('a', 'one', 0, 20, gap)], 30, 'OUTGROW_WAL_GAP'],
    [
      'none for all there is, when that has a gap',
      [coverage('a', 'one', 0, 20, gap)],
      undefined,
      'OUTGROW_WAL_GAP',
    ],
    [
      'one of another server after the first has ended',
      [coverage('b', 'two', 30, 50), coverage('a', 'one', 0, 20)],
      40,
      'b',
    ],
    [
      'none between two servers',
      [coverage('b', 'two', 30, 50), coverage('a', 'one', 0, 20)],
      25,
      'OUTGROW_RECOVERY_RANGE',
    ],
    [
      'none while two servers archived',
      [coverage('b', 'two', 10, 50), coverage('a', 'one', 0, 40)],
      20,
      'OUTGROW_RECOVERY_AMBIGUOUS',
    ],
  ])('is %s', (_, coverages, at, expected) => {
    expect(choose(coverages, at)).toBe(expected)
  })

  test('that is not there names every range in its order', () => {
    const all = [coverage('c', 'two', 30, 50), coverage('b', 'one', 10, 20), coverage('a', 'one', 0, 20)]
    expect(() => chooseBase(all, noon(25), 'store')).toThrow(
      'store has all from 2026-01-31T12:00:00.000Z to 2026-01-31T12:20:00.000Z, and from 2026-01-31T12:30:00.000Z to 2026-01-31T12:50:00.000Z.',
    )
  })
})

test.each([
  ['as it should be', [coverage('b', 'one', 20, 40), coverage('a', 'one', 0, 20, gap)], []],
  ['broken, though it reaches some way', [coverage('b', 'one', 20, 40, gap)], ['OUTGROW_WAL_GAP']],
  [
    'broken before the copy is consistent',
    [{ ...coverage('b', 'one', 20, 40, gap), until: undefined }],
    ['OUTGROW_WAL_GAP', 'OUTGROW_BASE_MISSING'],
  ],
  ['without a base backup', [], ['OUTGROW_BASE_MISSING']],
])('a check of WAL that is %s', (_, coverages, codes) => {
  const check: ArchiveCheck = { findings: [], facts: [], unknown: [] }
  judgeCoverage(check, coverages, { location: 'store', now: noon(41) })
  expect(check.findings.map(({ code }) => code)).toEqual(codes)
})
