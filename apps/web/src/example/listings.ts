import { randomBytes } from 'node:crypto'
import { hasFeature, limitOf, type BillingStore } from '@outgrow/billing'
import {
  containsText,
  isUniqueViolation,
  lockForUpdate,
  Stage,
  withRetry,
  type Database,
  type Prisma,
} from '@outgrow/db'
import { z } from 'zod'
import { free } from './product.ts'

/** What a listing's form may hold. */
export const listingForm = z.object({
  name: z.string().trim().min(1, 'Give it a name.').max(60, 'At most 60 characters.'),
  tagline: z.string().trim().min(1, 'Describe it in one line.').max(140, 'At most 140 characters.'),
  link: z.url({ protocol: /^https?$/, error: 'An address that starts with https://' }).max(500),
  stage: z.enum(Stage, { error: 'Choose one.' }),
  stack: z
    .string()
    .max(200, 'At most 200 characters.')
    .transform((text) =>
      [
        ...new Set(
          text
            .split(',')
            .map((part) => part.trim())
            .filter(Boolean),
        ),
      ].slice(0, 8),
    )
    .prefault(''),
})

export type Listing = z.output<typeof listingForm>

export const perPage = 20

export interface Search {
  text: string
  stage: Stage | undefined
  page: number
}

/** One page of the directory: featured first, then by votes. */
export async function searchListings(database: Database, { text, stage, page }: Search, now = new Date()) {
  const { client } = database
  const where: Prisma.ProductWhereInput = {
    publishedAt: { not: null },
    ...(stage === undefined ? {} : { stage }),
    ...(text === ''
      ? {}
      : { OR: [{ name: containsText(database, text) }, { tagline: containsText(database, text) }] }),
  }
  const select = {
    id: true,
    slug: true,
    name: true,
    tagline: true,
    stage: true,
    stack: true,
    voteCount: true,
    _count: { select: { comments: true } },
  } satisfies Prisma.ProductSelect
  // A listing stays featured only while its account's plan says so.
  const featured = { featured: true, account: { entitlements: { some: featuredNow(now) } } }
  const [total, top, rows] = await Promise.all([
    client.product.count({ where }),
    page === 1
      ? client.product.findMany({
          where: { ...where, ...featured },
          orderBy: { voteCount: 'desc' },
          take: 3,
          select,
        })
      : [],
    client.product.findMany({
      where,
      orderBy: [{ voteCount: 'desc' }, { id: 'asc' }],
      skip: (page - 1) * perPage,
      take: perPage,
      select,
    }),
  ])
  return { total, pages: Math.max(1, Math.ceil(total / perPage)), top, rows }
}

export type Row = Awaited<ReturnType<typeof searchListings>>['rows'][number]

function featuredNow(now: Date): Prisma.EntitlementWhereInput {
  return { feature: 'featured', OR: [{ expiresAt: null }, { expiresAt: { gt: now } }] }
}

/** How many listings, and screenshots in each, an account may have now; null is any number. */
export async function limitsOf(store: BillingStore, accountId: string) {
  const [listings, screenshots, featured] = await Promise.all([
    limitOf(store, accountId, 'listings'),
    limitOf(store, accountId, 'screenshots'),
    hasFeature(store, accountId, 'featured'),
  ])
  return {
    listings: listings === null ? null : Math.max(Number(listings), free.listings),
    screenshots: screenshots === null ? null : Math.max(Number(screenshots), free.screenshots),
    featured,
  }
}

/** Adds a listing, unless the account has as many as it may: undefined then. Two at once cannot exceed the limit. */
export async function addListing(
  { database, store }: { database: Database; store: BillingStore },
  owner: { id: string; accountId: string },
  { stack, ...listing }: Listing,
): Promise<string | undefined> {
  const { listings } = await limitsOf(store, owner.accountId)
  const slugOf = (suffix: string) =>
    `${
      listing.name
        .toLowerCase()
        .normalize('NFKD')
        .replaceAll(/[^a-z0-9]+/g, '-')
        .replaceAll(/^-+|-+$/g, '') || 'product'
    }${suffix}`
  const add = (slug: string) =>
    withRetry(() =>
      database.client.$transaction(async (tx) => {
        await lockForUpdate(database, tx, 'account', { id: owner.accountId })
        const count = await tx.product.count({ where: { accountId: owner.accountId } })
        if (listings !== null && count >= listings) return undefined
        const { slug: added } = await tx.product.create({
          data: {
            ...listing,
            stack,
            slug,
            ownerId: owner.id,
            accountId: owner.accountId,
            publishedAt: new Date(),
          },
        })
        return added
      }),
    )
  try {
    return await add(slugOf(''))
  } catch (error) {
    if (!isUniqueViolation(error, database, 'product', ['slug'])) throw error
    return add(slugOf(`-${randomBytes(3).toString('hex')}`))
  }
}

/** Votes, or takes the vote back. The count and the vote change together. */
export async function toggleVote(database: Database, userId: string, productId: number): Promise<void> {
  await withRetry(() =>
    database.client.$transaction(async (tx) => {
      await lockForUpdate(database, tx, 'product', { id: productId })
      const { count } = await tx.vote.deleteMany({ where: { userId, productId } })
      if (count === 0) await tx.vote.create({ data: { userId, productId } })
      await tx.product.update({
        where: { id: productId },
        data: { voteCount: { increment: count === 0 ? 1 : -1 } },
      })
    }),
  )
}
