import type { Product } from '../product-type.ts'

/** What an account has without a plan. */
export const free = { listings: 1, screenshots: 1 }

/** What the example adds to the frame: its name, its links, and what its plans hold. */
export const example: Partial<Product> = {
  name: 'Stages',
  slug: 'stages',
  slogan: 'indie products on their way',
  footer:
    'Stages lists indie products at every stage from SQLite to Postgres. It is an example that runs on either.',
  nav: [{ href: '/mine', label: 'My products' }],
  offer: 'Your first listing is free. Plans allow more, and put you first.',
  free: ['1 listing', '1 picture each'],
  plans: {
    pro: {
      features: { listings: 10, screenshots: 5, featured: true },
      says: ['10 listings', '5 pictures each', 'Featured in the directory'],
    },
    team: {
      features: { listings: 50, screenshots: 10, featured: true },
      says: ['50 listings', '10 pictures each', 'Featured in the directory'],
    },
  },
}
