import { randomBytes } from 'node:crypto'
import { parsePostgresUrl, withPlainPostgres } from '@outgrow/databases'
import type { ConsoleRow } from './pooler-readings.ts'

/**
 * Whether a URL leads through the pooler whose console is open: a connection with a name of its own is looked for among its
 * clients. Undefined where the URL cannot be reached or the clients cannot be seen.
 */
export async function goesThrough(
  databaseUrl: string,
  show: (view: string) => Promise<ConsoleRow[] | undefined>,
): Promise<boolean | undefined> {
  const marked = new URL(parsePostgresUrl(databaseUrl).url)
  const name = `outgrow-${randomBytes(6).toString('hex')}`
  marked.searchParams.set('application_name', name)
  try {
    return await withPlainPostgres(marked.href, async () => {
      const clients = await show('CLIENTS')
      // Since 1.18 a client is shown with its name.
      if (!clients || clients.some((client) => !('application_name' in client))) return undefined
      return clients.some(({ application_name: shown }) => shown?.startsWith(name))
    })
  } catch {
    return undefined
  }
}
