import { example } from './example/product.ts' // example
import type { Product } from './product-type.ts'

/** What this SaaS is called and what it sells. */
export const product: Product = {
  name: 'Acme',
  slug: 'acme',
  slogan: 'a new SaaS',
  footer: 'Acme.',
  nav: [],
  offer: 'Start free.',
  free: ['One seat'],
  plans: {
    pro: { features: { seats: 3 }, says: ['3 seats'] },
    team: { features: { seats: 10 }, says: ['10 seats'] },
  },
  ...example, // example
}

/** What a plan has, in words. */
export function saysOf(planId: string): string[] {
  return planId === 'pro' || planId === 'team' ? product.plans[planId].says : []
}
