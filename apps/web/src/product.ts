import type { PlanConfig } from '@outgrow/billing'
import { example } from './example/product.ts' // example

export interface Product {
  name: string
  /** Names its cookies. */
  slug: string
  slogan: string
  footer: string
  /** Links of the head for whoever is signed in. */
  nav: { href: string; label: string }[]
  offer: string
  free: string[]
  plans: Record<'pro' | 'team', { features: PlanConfig['plans'][number]['features']; says: string[] }>
}

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
