import { definePlans, type PlanConfig } from '@outgrow/billing'

/** What an account has without a plan. */
export const free = { listings: 1, screenshots: 1 }

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
        features: { listings: 10, screenshots: 5, featured: true },
      },
      {
        id: 'team',
        name: 'Team',
        priceId: prices.team,
        amount: 4900,
        currency: 'usd',
        features: { listings: 50, screenshots: 10, featured: true },
      },
    ],
  })
}
