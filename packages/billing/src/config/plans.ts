import type { Stripe } from 'stripe'
import { z } from 'zod'
import { Failure } from '@outgrow/kit'
import { timeOf } from '../context.ts'
import type { BillingStore, PlanPrice } from '../store.ts'
import { regrant, type RegrantOptions } from '../sync/regrant.ts'

const plan = z.strictObject({
  /** Name in the database and in code. */
  id: z.string().regex(/^[a-z][a-z0-9_-]*$/),
  name: z.string().min(1),
  priceId: z.string().min(1),
  /** In the currency's smallest unit. */
  amount: z.int().nonnegative(),
  currency: z.string().length(3).toLowerCase(),
  /** A feature that is on, or a limit. */
  features: z.record(z.string().min(1), z.union([z.literal(true), z.int().nonnegative()])),
})

const config = z.strictObject({ plans: z.array(plan).min(1) })

export type Plan = z.infer<typeof plan>
export type PlanConfig = z.infer<typeof config>

/**
 * The plans and features of an application, in one place.
 * @throws Failure OUTGROW_PLANS_INVALID naming each mistake
 */
export function definePlans(written: z.input<typeof config>): PlanConfig {
  const result = config.safeParse(written)
  const problems = result.success
    ? duplicates(result.data.plans)
    : result.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`)
  if (result.success && problems.length === 0) return result.data
  throw new Failure({
    code: 'OUTGROW_PLANS_INVALID',
    message: `The plans are invalid: ${problems.join('; ')}`,
    fix: 'Correct these fields in the call to definePlans.',
  })
}

function duplicates(plans: Plan[]): string[] {
  const seen = new Set<string>()
  return plans.flatMap(({ id, priceId }) =>
    [id, priceId]
      .filter((value) => {
        const isDouble = seen.has(value)
        seen.add(value)
        return isDouble
      })
      .map((value) => `${value} appears twice`),
  )
}

/**
 * Holds the plans against Stripe's prices. To be called when the application starts.
 * @throws Failure OUTGROW_PLANS_DIFFER naming each price that is missing, inactive or of another amount
 */
export async function checkPlans(stripe: Stripe, { plans }: PlanConfig): Promise<void> {
  const problems = (await Promise.all(plans.map((one) => problemOf(stripe, one)))).filter(
    (problem) => problem !== undefined,
  )
  if (problems.length === 0) return
  throw new Failure({
    code: 'OUTGROW_PLANS_DIFFER',
    message: `The plans differ from the prices at Stripe: ${problems.join('; ')}`,
    why: 'Customers would be shown one price and pay another.',
    fix: 'Correct the plans, or the prices in Stripe’s dashboard.',
  })
}

async function problemOf(
  stripe: Stripe,
  { id, priceId, amount, currency }: Plan,
): Promise<string | undefined> {
  let price: Stripe.Price
  try {
    price = await stripe.prices.retrieve(priceId)
  } catch (error) {
    if ((error as { code?: string }).code !== 'resource_missing') throw error
    return `${id}: Stripe has no price ${priceId}`
  }
  if (!price.active) return `${id}: the price ${priceId} is not active`
  if (!price.recurring) return `${id}: the price ${priceId} is not recurring`
  if (price.unit_amount !== amount || price.currency !== currency) {
    return `${id}: ${amount} ${currency} here, ${price.unit_amount} ${price.currency} at Stripe`
  }
  return undefined
}

/**
 * Writes the plans into the database, where the synchronisation reads them, and gives those who pay one that has changed
 * what it gives now. Plans that are gone become inactive. A price that a plan had before stays its own: those who pay it
 * keep what they pay for. What is cut off is finished by the next call.
 * @returns how many accounts pay a plan that has changed
 */
export async function syncPlans(
  store: BillingStore,
  { plans }: PlanConfig,
  options: RegrantOptions = {},
): Promise<{ accounts: number }> {
  const sold = plans.map(({ priceId, ...plan }) => ({ ...plan, active: true, stripePriceId: priceId }))
  await store.transaction(async ({ access }) => {
    const before = new Map((await access.prices()).map((price) => [price.stripePriceId, givenBy(price)]))
    await access.writePlans(sold)
    const changed = (await access.prices()).filter(
      (price) => before.get(price.stripePriceId) !== givenBy(price),
    )
    if (changed.length > 0)
      await access.markChanged(
        changed.map(({ stripePriceId }) => stripePriceId),
        timeOf(options),
      )
  })
  return { accounts: await regrant(store, options) }
}

/** What a price gives, to be compared. */
function givenBy({ planId, features }: PlanPrice): string {
  return JSON.stringify([planId, Object.entries(features).toSorted(([a], [b]) => (a < b ? -1 : 1))])
}
