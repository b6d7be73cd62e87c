import { withPlainPostgres, type PostgresClient } from '@outgrow/databases'

/** A row of the admin console. Newer versions have more columns, and some were renamed. */
export type ConsoleRow = Record<string, string | undefined>

const consoleViews = ['VERSION', 'CONFIG', 'DATABASES', 'POOLS', 'STATS', 'USERS'] as const

type ConsoleView = (typeof consoleViews)[number]

/** What a running pooler says of itself. A view that could not be read is missing. */
export type PoolerReadings = Partial<Record<ConsoleView, ConsoleRow[]>>

/**
 * Reads the admin console. It knows simple queries only, and no settings.
 * @throws Failure OUTGROW_POSTGRES_UNREACHABLE, OUTGROW_URL_INVALID
 */
export function withConsole<Result>(
  adminUrl: string,
  use: (show: (view: string) => Promise<ConsoleRow[] | undefined>) => Promise<Result>,
): Promise<Result> {
  return withPlainPostgres(adminUrl, (client) => use((view) => show(client, view)))
}

export async function readPooler(
  show: (view: string) => Promise<ConsoleRow[] | undefined>,
): Promise<PoolerReadings> {
  const readings: PoolerReadings = {}
  for (const view of consoleViews) {
    const rows = await show(view)
    if (rows) readings[view] = rows
  }
  return readings
}

/** Undefined where the user may not see it, or the version does not have it. */
async function show(client: PostgresClient, view: string): Promise<ConsoleRow[] | undefined> {
  try {
    const { rows } = await client.query<Record<string, unknown>>(`SHOW ${view}`)
    return rows.map((row) =>
      Object.fromEntries(
        Object.entries(row).map(([name, value]) => [
          name,
          value === null || value === undefined ? undefined : String(value as string | number),
        ]),
      ),
    )
  } catch {
    return undefined
  }
}
