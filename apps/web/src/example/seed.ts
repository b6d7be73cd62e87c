import { Stage, type Database } from '@outgrow/db'

const people = 40
const names = [
  'Ledger',
  'Garden',
  'Beacon',
  'Kettle',
  'Compass',
  'Harbor',
  'Notebook',
  'Lantern',
  'Orchard',
  'Sparrow',
]
const kinds = ['Tiny', 'Quiet', 'Honest', 'Solar', 'Paper', 'Nordic']
const taglines = [
  'Invoices that get themselves paid',
  'A calm inbox for two-person teams',
  'Uptime pages your customers can read',
  'Forms without a back end',
  'Changelogs people subscribe to',
  'Scheduling for workshops and studios',
]
const stacks = [
  ['Prisma', 'SQLite', 'Remix'],
  ['Prisma', 'SQLite', 'Next.js'],
  ['Prisma', 'SQLite', 'Hono', 'Stripe'],
  ['Prisma', 'Postgres', 'SvelteKit', 'Stripe'],
]
const remarks = [
  'One file, one box, zero ops. I envy you.',
  'How do you back it up?',
  'We moved last spring and kept every row.',
  'Signed up. The first page loaded before I let go of the key.',
]

/** People and products to look at. */
export async function seedExample({ client }: Database): Promise<void> {
  const pick = <Item>(all: readonly Item[], n: number) => all[n % all.length] as Item
  const at = (n: number) => new Date(Date.UTC(2026, 0, 1) + n * 86_400_000)
  await client.$transaction(
    async (tx) => {
      await tx.user.createMany({
        data: Array.from({ length: people }, (_, n) => ({
          id: `person-${n}`,
          name: `${pick(['Ada', 'Ben', 'Chi', 'Dag', 'Eva', 'Finn', 'Gül', 'Hana'], n)} ${pick(['Okafor', 'Lind', 'Sato', 'Moreau', 'Ruiz'], n * 3)}`,
          email: `person${n}@example.com`,
        })),
      })
      await tx.account.createMany({
        data: Array.from({ length: people }, (_, n) => ({
          id: `team-${n}`,
          name: `Team ${n}`,
          slug: `person-${n}`,
        })),
      })
      await tx.membership.createMany({
        data: Array.from({ length: people }, (_, n) => ({
          accountId: `team-${n}`,
          userId: `person-${n}`,
          role: 'OWNER' as const,
        })),
      })
      for (let n = 0; n < names.length * kinds.length; n++) {
        const name = `${pick(kinds, Math.floor(n / names.length))} ${pick(names, n)}`
        const voters = Array.from({ length: people }, (_, person) => person).filter(
          (person) => (person * 7 + n * 5) % 11 < n % 8,
        )
        await tx.product.create({
          data: {
            name,
            slug: name.toLowerCase().replace(' ', '-'),
            tagline: pick(taglines, n),
            link: `https://example.com/${n}`,
            stage: pick(Object.values(Stage), n + Math.floor(n / 4)),
            stack: pick(stacks, n),
            ownerId: `person-${n % people}`,
            accountId: `team-${n % people}`,
            publishedAt: at(n),
            createdAt: at(n),
            voteCount: voters.length,
            votes: { create: voters.map((person) => ({ userId: `person-${person}` })) },
            comments: {
              create: Array.from({ length: n % 4 }, (_, c) => ({
                body: pick(remarks, n + c),
                authorId: `person-${(n * 3 + c) % people}`,
                createdAt: at(n + c + 1),
              })),
            },
          },
        })
      }
    },
    { timeout: 60_000 },
  )
}
