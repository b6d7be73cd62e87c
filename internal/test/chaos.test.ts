import { backends, isThere, type Backend } from '@outgrow/testing'
import { describe, expect, test } from 'vitest'
import { chaos } from '../chaos/chaos.ts'

/** A few lives here; pnpm test:long lives through more. */
const runsOn = (backend: Backend) =>
  Number(process.env.CHAOS_RUNS ?? (backend === 'postgres behind pgbouncer' ? 2 : 5))
const seed = Number(process.env.CHAOS_SEED ?? Date.now() % 1_000_000)

for (const database of backends) {
  const runs = runsOn(database)
  describe.skipIf(!isThere(database))(`billing in chaos on ${database}`, () => {
    test(`random lives end as Stripe has them (seed ${seed})`, async () => {
      const result = await chaos({ database, runs, seed, variant: 'ours' })
      expect(result.violations).toEqual([])
      expect([result.runs, result.deliveries > runs]).toEqual([runs, true])
    }, 3_600_000)
  })
}

test('the same lives find a design out that believes what it is told last', async () => {
  const { violations } = await chaos({ database: 'sqlite', runs: 12, seed: 5, variant: 'last-write' })
  expect(violations.length).toBeGreaterThan(0)
}, 600_000)
