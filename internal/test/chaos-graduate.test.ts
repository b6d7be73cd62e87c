import { expect, test } from 'vitest'
import { join } from 'node:path'
import { chaosGraduate } from '../chaos/graduate/graduate.ts'
import { changedSource, variantNames, variants } from '../chaos/graduate/variants.ts'

/** A dozen here, or as many as half a minute has room for; pnpm test:long goes on for hundreds. */
const asked = process.env.CHAOS_GRADUATIONS
const seed = Number(process.env.CHAOS_SEED ?? Date.now() % 1_000_000)

test(`an application loses nothing while its file graduates in chaos (seed ${seed})`, async () => {
  const result = await chaosGraduate({
    runs: Number(asked ?? 12),
    seed,
    withinMs: asked === undefined ? 20_000 : undefined,
  })
  expect(result.violations).toEqual([])
  expect([result.runs > 0, result.operations > result.runs]).toEqual([true, true])
}, 7_200_000)

test('the same chaos finds out who reads the past after a switch', async () => {
  const isFound = async (seed: number) => {
    const { violations } = await chaosGraduate({ runs: 1, seed, variant: 'raise-not-rename' })
    return violations.some(({ wrong }) => wrong.some((one) => one.includes('was acknowledged')))
  }
  // A run finds it where somebody reads at the wrong moment: mostly the first one does.
  let runs = 0
  while (runs < 6 && !(await isFound(11 + runs))) runs++
  expect(runs).toBeLessThan(6)
}, 600_000)

test.each(variantNames)('the variant %s finds the place that it changes', (name) => {
  const file = join(import.meta.dirname, '../..', variants[name].file)
  expect(changedSource(name, file)).toContain(variants[name].replace)
})
