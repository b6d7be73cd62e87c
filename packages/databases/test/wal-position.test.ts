import { expect, test } from 'vitest'
import { formatPosition, hasReached, parsePosition } from '../src/index.ts'
import { endOfLastRecord } from '../src/replicas/wal-position.ts'

const position = { system: '7427512345678901234', timeline: 3, lsn: 0x1_3000_148n }

test('a position is read as it was written', () => {
  expect(formatPosition(position)).toBe('7427512345678901234:3:0/13000148')
  for (const lsn of [0n, 1n, 0xffff_ffffn, 0x1_0000_0000n, 0xffff_ffff_ffff_ffffn])
    expect(parsePosition(formatPosition({ ...position, lsn }))).toEqual({ ...position, lsn })
})

test.each([
  '',
  '1:1',
  '1:1:0',
  '1:1:0/',
  '1:1:0/0 ',
  '1:1:0/0\n',
  'a:1:0/0',
  '1:-1:0/0',
  '1:1:0/123456789',
  '1:1:0/g',
  `${'1'.repeat(21)}:1:0/0`,
])('%j is no position', (text) => {
  expect(parsePosition(text)).toBeUndefined()
})

test('only positions of one cluster and timeline are compared', () => {
  expect(hasReached(position, position)).toBe(true)
  expect(hasReached(position, { ...position, lsn: position.lsn + 1n })).toBe(false)
  expect(hasReached({ ...position, lsn: position.lsn + 1n }, position)).toBe(true)
  expect(hasReached(position, { ...position, timeline: 2 })).toBe(false)
  expect(hasReached(position, { ...position, system: '1' })).toBe(false)
})

test.each([
  [0x2000_0028n, 0x2000_0000n],
  [0x2000_2018n, 0x2000_2000n],
  [0x2000_2028n, 0x2000_2028n],
  [0x2000_2020n, 0x2000_2020n],
  [0x2000_2000n, 0x2000_2000n],
])('behind %d the last record ended at %d', (insert, end) => {
  expect(endOfLastRecord(insert, 8192, 16 * 1024 * 1024)).toBe(end)
})
