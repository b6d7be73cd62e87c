import { exit } from '@outgrow/kit'
import { expect, test } from 'vitest'
import { findingOf, judgeMove, type Finding, type MoveResult } from '../src/index.ts'

type Judged = Pick<MoveResult, 'tables' | 'findings' | 'advanced' | 'laterRows'>

const table = { table: 'Order', sourceRows: 5, targetRows: 5, quarantinedRows: 0, digestMatch: true }
const moved = (more: Partial<Judged> = {}): Judged => ({
  tables: [table],
  findings: [],
  advanced: false,
  laterRows: 0,
  ...more,
})
const finding = (code: Finding['code']) => findingOf({ code, table: 'Order', reason: 'is so', fixes: [] })
const quarantined = { tables: [{ ...table, targetRows: 4, quarantinedRows: 1 }] }

test.each<[string, Partial<Judged>, boolean, boolean, number]>([
  ['is equal', {}, false, true, exit.done],
  ['has no tables', { tables: [] }, false, true, exit.done],
  [
    'differs',
    { tables: [{ ...table, digestMatch: false }], findings: [finding('OUTGROW_ROW_DIFFERS')] },
    true,
    false,
    exit.findings,
  ],
  ['left something behind', { findings: [finding('OUTGROW_OBJECT_LEFT')] }, false, true, exit.findings],
  ['lost a constraint', { findings: [finding('OUTGROW_CONSTRAINT_LOST')] }, true, false, exit.findings],
  ['set rows aside', quarantined, false, false, exit.findings],
  ['set rows aside, which is accepted', quarantined, true, true, exit.findings],
  ['was overtaken by its source', { advanced: true }, true, false, exit.findings],
])('a move that %s', (_, result, acceptQuarantine, maySwitch, exitCode) => {
  expect(judgeMove(moved(result), { acceptQuarantine })).toMatchObject({ maySwitch, exitCode })
})

test.each([
  [3, 3, /were added to the source/],
  [0, 1, /were changed in the source/],
])('a source that gained %s rows meanwhile is one more finding', (laterRows, count, reason) => {
  const before = [finding('OUTGROW_OBJECT_LEFT')]
  const { findings } = judgeMove(moved({ findings: before, advanced: true, laterRows }), {
    acceptQuarantine: false,
  })
  expect(findings).toMatchObject([
    { code: 'OUTGROW_OBJECT_LEFT' },
    { code: 'OUTGROW_SOURCE_ADVANCED', table: null, count, reason: expect.stringMatching(reason) as string },
  ])
  expect(before).toHaveLength(1)
})
