import { definePlans, type PlanConfig } from '@outgrow/billing'
import { product } from './product.ts'

export const trialDays = 14

/** What can be bought. Amounts in cents a month. */
export function plansOf(prices: { pro: string; team: string }): PlanConfig {
  return definePlans({
    plans: [
      {
        id: 'pro',
        name: 'Pro',
        priceId: prices.pro,
        amount: 1900,
        currency: 'usd',
        features: product.plans.pro.features,
      },
      {
        id: 'team',
        name: 'Team',
        priceId: prices.team,
        amount: 4900,
        currency: 'usd',
        features: product.plans.team.features,
      },
    ],
  })
}
