import { describe, expect, test } from 'vitest'
import { amountOf, timingOf, type PricedLine } from '../src/actions/change-timing.ts'

const line = (id: string, unit: number | null, quantity = 1, currency = 'usd'): PricedLine => ({
  price: { id, unit_amount: unit, unit_amount_decimal: null, currency },
  quantity,
})

describe('when a change of plan is made', () => {
  const cases: [string, PricedLine, PricedLine, string][] = [
    ['a dearer plan', line('pro', 1900), line('team', 4900), 'now'],
    ['a cheaper plan', line('team', 4900), line('pro', 1900), 'period-end'],
    ['a plan at the same price', line('old', 1900), line('new', 1900), 'now'],
    ['more seats', line('pro', 1900, 2), line('pro', 1900, 3), 'now'],
    ['fewer seats', line('pro', 1900, 3), line('pro', 1900, 2), 'period-end'],
    ['nothing else', line('pro', 1900, 3), line('pro', 1900, 3), 'none'],
    [
      'a dearer plan with so few seats that it costs less',
      line('pro', 1900, 5),
      line('team', 4900, 1),
      'period-end',
    ],
    [
      'a cheaper plan with so many seats that it costs more',
      line('team', 4900, 1),
      line('pro', 1900, 5),
      'now',
    ],
    ['a year for a month', line('monthly', 1900), line('yearly', 19_000), 'now'],
    ['a month for a year', line('yearly', 19_000), line('monthly', 1900), 'period-end'],
    ['from nothing', line('free', 0), line('pro', 1900), 'now'],
    ['more seats of a price with tiers', line('tiers', null, 1), line('tiers', null, 2), 'now'],
  ]
  test.each(cases)('%s', (_, from, to, when) => {
    expect(timingOf(from, to, false)).toBe(when)
  })

  test('on a trial everything is made now', () => {
    expect(timingOf(line('team', 4900), line('pro', 1900), true)).toBe('now')
    expect(timingOf(line('pro', 1900, 3), line('pro', 1900, 1), true)).toBe('now')
    expect(timingOf(line('tiers', null), line('pro', 1900), true)).toBe('now')
    expect(timingOf(line('pro', 1900), line('pro', 1900), true)).toBe('none')
  })

  test('prices that cannot be compared are refused', () => {
    const refused = expect.objectContaining({ code: 'OUTGROW_BILLING_PLAN' }) as Error
    expect(() => timingOf(line('pro', 1900), line('tiers', null), false)).toThrow(refused)
    expect(() => timingOf(line('pro', 1900), line('euro', 4900, 1, 'eur'), false)).toThrow(refused)
    // Stripe keeps a subscription in its currency, on a trial too.
    expect(() => timingOf(line('pro', 1900), line('euro', 4900, 1, 'eur'), true)).toThrow(refused)
  })

  test('fractions of a cent count', () => {
    expect(
      amountOf({ price: { ...line('pro', null).price, unit_amount_decimal: '0.5' as never }, quantity: 10 }),
    ).toBe(5)
  })
})
