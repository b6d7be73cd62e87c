import { backends, isThere, type Backend } from '@outgrow/testing'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { openArena, type Arena } from '../chaos/arena.ts'
import { chaos } from '../chaos/chaos.ts'
import { chancesOf, subjectNames } from '../chaos/lifecycle.ts'
import { changePoints, pagePoints, workerPoints } from '../chaos/points.ts'
import { foundIn, variants } from '../chaos/variants.ts'

/** A few lives here; pnpm test:long lives through more. */
const runsOn = (backend: Backend) =>
  Number(process.env.CHAOS_RUNS ?? (backend === 'postgres behind pgbouncer' ? 2 : 5))
const seed = Number(process.env.CHAOS_SEED ?? Date.now() % 1_000_000)
const isLong = process.env.CHAOS_RUNS !== undefined
const broken = variants.filter((variant) => variant !== 'ours')
/** What Postgres' own locks might hide; pnpm test:long looks for all of them there too. */
const quick = ['unfenced', 'sends-unkeyed', 'no-mark', 'local-checkout', 'keeps-grace'] as const

for (const database of backends) {
  describe.skipIf(!isThere(database))(`billing in chaos on ${database}`, () => {
    let arena: Arena
    beforeAll(async () => {
      arena = await openArena(database, chancesOf(seed))
    })
    afterAll(() => arena.close())

    test(`random lives end as Stripe has them (seed ${seed})`, async () => {
      const runs = runsOn(database)
      const about = subjectNames
      const result = await chaos({ database, runs, seed, variant: 'ours', about, arena })
      expect(result.violations).toEqual([])
      expect([result.runs, result.deliveries > runs]).toEqual([runs, true])
    }, 3_600_000)

    test.runIf(database === 'sqlite' || isLong)(
      `a process dies at ${isLong ? 'every' : 'every third'} named point, and nothing is lost (seed ${seed})`,
      async () => {
        const everyNth = isLong ? 1 : 3
        const { violations, kills } = await chaos({
          database,
          runs: 0,
          seed,
          variant: 'ours',
          everyNth,
          arena,
        })
        // A point that nobody came to is a violation.
        expect(violations).toEqual([])
        const points = workerPoints.length + changePoints.length + pagePoints.length
        expect(Object.values(kills).reduce((sum, times) => sum + times, 0)).toBeGreaterThanOrEqual(
          Math.floor(points / everyNth) - 2,
        )
      },
      600_000,
    )

    // The database behind it is the same.
    test
      .skipIf(database === 'postgres behind pgbouncer')
      .each(database === 'sqlite' || isLong ? broken : quick)(
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
