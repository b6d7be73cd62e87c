import type { Billing, BillingStore, PlanConfig } from '@outgrow/billing'
import { sessionUrlOf } from '@outgrow/databases'
import { Failure } from '@outgrow/kit'
import { project } from '../project.ts'

type BillingPackage = typeof import('@outgrow/billing')

/**
 * Opens the database of `--database`, else of the environment, with the project's own clients, and closes it whatever happens.
 * @throws Failure OUTGROW_CONFIG_MISSING, OUTGROW_CLIENTS_MISSING, OUTGROW_BILLING_MODELS, OUTGROW_TABLES_MISSING
 */
export async function withBilling<Result>(
  url: string | undefined,
  use: (store: BillingStore, library: BillingPackage) => Promise<Result>,
): Promise<Result> {
  const { clients, billing: settings } = await project()
  if (!clients) throw noClients()
  const [{ openDatabase }, billing] = await Promise.all([
    import('@outgrow/client'),
    import('@outgrow/billing'),
  ])
  const database = await opened(openDatabase(clients, databaseUrl(url)))
  try {
    return await use(billing.prismaStore(database, settings), billing)
  } catch (cause) {
    throw explainedTables(cause)
  } finally {
    await database.close()
  }
}

/** A failure over a missing table in words; any other as it is. */
export function explainedTables(cause: unknown): unknown {
  const { code, message } = cause as { code?: string; message?: string }
  if (code !== 'P2021') return cause
  return new Failure({
    code: 'OUTGROW_TABLES_MISSING',
    message: message?.split('\n').findLast((line) => line.trim() !== '') ?? 'A table is missing.',
    why: 'This needs a database with billing’s tables.',
    fix: 'Run outgrow schema deploy --to <url> first; for a project without billing’s models, outgrow billing init.',
    cause,
  })
}

/** As `withBilling`, with Stripe. */
export async function withStripe<Result>(
  url: string | undefined,
  use: (billing: Billing, library: BillingPackage) => Promise<Result>,
): Promise<Result> {
  const { billing: settings } = await project()
  const { openStripe } = await import('@outgrow/billing')
  const stripe = openStripe()
  return withBilling(url, (store, library) =>
    use({ store, stripe, policy: settings?.policy, onEvent: settings?.onEvent }, library),
  )
}

/** The plans that the configuration names. */
export async function configuredPlans(): Promise<PlanConfig> {
  const { billing } = await project()
  const plans = billing?.plans
  if (plans) return typeof plans === 'function' ? plans() : plans
  throw new Failure({
    code: 'OUTGROW_CONFIG_MISSING',
    message: 'outgrow.config.ts names no plans.',
    fix: 'Set billing: { plans: definePlans({ plans: [...] }) } in it.',
  })
}

/** Opens a database, and says when it is the clients that are not there yet. */
async function opened<Database>(opening: Promise<Database>): Promise<Database> {
  try {
    return await opening
  } catch (cause) {
    if ((cause as { code?: string }).code !== 'ERR_MODULE_NOT_FOUND') throw cause
    throw new Failure({
      code: 'OUTGROW_CLIENTS_MISSING',
      message: 'Prisma’s clients are not generated yet.',
      fix: 'Generate both: prisma generate --schema prisma/sqlite/schema.prisma, and the same for postgres. In this repository: pnpm run clients.',
      cause,
    })
  }
}

function noClients(): Failure {
  return new Failure({
    code: 'OUTGROW_CONFIG_MISSING',
    message: 'No clients are configured.',
    why: 'Billing’s commands read and write through the project’s own generated clients.',
    fix: 'Name them in outgrow.config.ts: clients: { sqlite: () => import(…), postgres: () => import(…) }.',
  })
}

export function databaseUrl(url = process.env.DATABASE_URL): string {
  if (url !== undefined && url !== '') return url
  throw new Failure({
    code: 'OUTGROW_OPTION_INVALID',
    message: 'No database was given.',
    fix: 'Pass --database with a file: or postgresql: URL, or set DATABASE_URL.',
  })
}

/**
 * The database of `--database`, which is taken as it is, else that of the environment past a pooler.
 * @throws Failure OUTGROW_OPTION_INVALID, OUTGROW_DIRECT_URL_OTHER, OUTGROW_DIRECT_URL_UNCHECKED
 */
export async function directUrl(url: string | undefined): Promise<string> {
  const named = databaseUrl(url)
  return url === undefined ? sessionUrlOf(named) : named
}

/** Whether a failure says that a project has no billing. */
export function isWithoutBilling(error: unknown): boolean {
  const codes = [
    'OUTGROW_TABLES_MISSING',
    'OUTGROW_CLIENTS_MISSING',
    'OUTGROW_CONFIG_MISSING',
    'OUTGROW_BILLING_MODELS',
  ]
  return (
    (error instanceof Failure && codes.includes(error.code)) || (error as { code?: string }).code === 'P2022'
  )
}
