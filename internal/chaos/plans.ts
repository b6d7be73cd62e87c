import { definePlans } from '@outgrow/billing'

/** What the application of the chaos run sells. */
export const plans = definePlans({
  plans: [
    {
      id: 'pro',
      name: 'Pro',
      priceId: 'price_pro',
      amount: 1900,
      currency: 'usd',
      features: { api: true, seats: 3 },
    },
    {
      id: 'team',
      name: 'Team',
      priceId: 'price_team',
      amount: 4900,
      currency: 'usd',
      features: { api: true, seats: 10 },
    },
  ],
})
