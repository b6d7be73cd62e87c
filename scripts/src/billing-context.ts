import type { Billing, BillingStore } from '@outgrow/billing'
import type { Database } from '@outgrow/db'
import { Failure } from '@outgrow/kit'

type BillingPackage = typeof import('@outgrow/billing')

/** Opens the database of `--database`, else of the environment, and closes it whatever happens. */
export async function withBilling<Result>(
  url: string | undefined,
  use: (billing: { database: Database; store: BillingStore }, library: BillingPackage) => Promise<Result>,
): Promise<Result> {
  const { openDatabase, billing } = await loadPackages()
  const database = await openDatabase(databaseUrl(url))
  try {
    return await use({ database, store: billing.prismaStore(database) }, billing)
  } catch (cause) {
    const { code, message } = cause as { code?: string; message?: string }
    if (code !== 'P2021') throw cause
    throw new Failure({
      code: 'OUTGROW_TABLES_MISSING',
      message: message?.split('\n').findLast((line) => line.trim() !== '') ?? 'A table is missing.',
      why: 'This command needs a database with Outgrow’s own schema.',
      fix: 'Run outgrow schema deploy --to <url> first; for an application with another schema, run outgrow billing adopt-inbox.',
      cause,
    })
  } finally {
    await database.close()
  }
}

/** As `withBilling`, with Stripe. */
export async function withStripe<Result>(
  url: string | undefined,
  use: (billing: Billing, library: BillingPackage) => Promise<Result>,
): Promise<Result> {
  const { billing } = await loadPackages()
  const stripe = billing.openStripe()
  return withBilling(url, ({ store }, library) => use({ store, stripe }, library))
}

/**
 * Loaded at need: the other commands work without Prisma's clients, which are generated at set-up.
 * @throws Failure OUTGROW_CLIENTS_MISSING
 */
async function loadPackages() {
  try {
    const [{ openDatabase }, billing] = await Promise.all([import('@outgrow/db'), import('@outgrow/billing')])
    return { openDatabase, billing }
  } catch (cause) {
    if ((cause as { code?: string }).code !== 'ERR_MODULE_NOT_FOUND') throw cause
    throw new Failure({
      code: 'OUTGROW_CLIENTS_MISSING',
      message: 'Prisma’s clients are not generated yet.',
      fix: 'Run pnpm run clients.',
      cause,
    })
  }
}

export function databaseUrl(url = process.env.DATABASE_URL): string {
  if (url !== undefined && url !== '') return url
  throw new Failure({
    code: 'OUTGROW_OPTION_INVALID',
    message: 'No database was given.',
    fix: 'Pass --database with a file: or postgresql: URL, or set DATABASE_URL.',
  })
}
