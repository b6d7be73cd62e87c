import type { PlanConfig } from '@outgrow/billing'

/** What the frame of the pages shows of a product. */
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
