import { backends, isThere, type Backend } from '@outgrow/testing'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { openArena, type Arena } from '../chaos/arena.ts'
import { chaos } from '../chaos/chaos.ts'
import { chancesOf } from '../chaos/lifecycle.ts'
import { foundIn, variants } from '../chaos/variants.ts'

/** A few lives here; pnpm test:long lives through more. */
const runsOn = (backend: Backend) =>
  Number(process.env.CHAOS_RUNS ?? (backend === 'postgres behind pgbouncer' ? 3 : 8))
const seed = Number(process.env.CHAOS_SEED ?? Date.now() % 1_000_000)
const broken = variants.filter((variant) => variant !== 'ours')

for (const database of backends) {
  describe.skipIf(!isThere(database))(`billing in chaos on ${database}`, () => {
    let arena: Arena
    beforeAll(async () => {
      arena = await openArena(database, chancesOf(seed))
    })
    afterAll(() => arena.close())

    test(`random lives end as Stripe has them (seed ${seed})`, async () => {
      const runs = runsOn(database)
      const result = await chaos({ database, runs, seed, variant: 'ours', arena })
      expect(result.violations).toEqual([])
      expect([result.runs, result.deliveries > runs]).toEqual([runs, true])
    }, 3_600_000)

    // The database behind it is the same.
    test.skipIf(database === 'postgres behind pgbouncer').each(broken)(
      `the variant %s is found out (seed ${seed})`,
      async (variant) => {
        const about = foundIn[variant]
        const found = await chaos({ database, runs: 60, seed, variant, about, arena, untilFound: true })
        expect(found.violations.length).toBeGreaterThan(0)
      },
      600_000,
    )
  })
}
