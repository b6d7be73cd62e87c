import { expect, test } from 'vitest'
import { money } from '../src/views/money.ts'

test('amounts are shown as Stripe counts them, whatever the currency’s own digits are', () => {
  const shown = [
    [1900, 'usd'],
    [1950, 'eur'],
    [-500, 'usd'],
    [500, 'jpy'],
    [1_900_000, 'cop'],
    [9_900_050, 'idr'],
    [500, 'isk'],
    [3_700_000, 'ugx'],
    [5120, 'kwd'],
    [5000, 'krw'],
  ].map(([amount, currency]) => money(amount as number, currency as string).replaceAll('\u00a0', ' '))
  expect(shown).toEqual([
    '$19',
    '€19.50',
    '-$5',
    '¥500',
    'COP 19,000',
    'IDR 99,000.50',
    'ISK 5',
    'UGX 37,000',
    'KWD 5.120',
    '₩5,000',
  ])
})
