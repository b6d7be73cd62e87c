import { isPooled, type PostgresClient, type PostgresUrl } from '@outgrow/databases'

export type Pooler = 'none' | 'other-port' | 'transaction' | 'unknown'

/** Whether a pooler shares sessions; `unknown` where a role or a server is at its limit. */
export async function detectSharing(target: PostgresUrl): Promise<'transaction' | 'none' | 'unknown'> {
  try {
    return (await isPooled(target)) ? 'transaction' : 'none'
  } catch {
    return 'unknown' // who cannot connect at all hears of it next
  }
}

/** A pooler in session mode answers on another port than the server does. */
export async function answersElsewhere({ url }: PostgresUrl, client: PostgresClient): Promise<boolean> {
  const { rows } = await client.query<{ port: number | null }>('SELECT inet_server_port() AS port')
  const asked = Number(url.port || url.searchParams.get('port') || process.env.PGPORT || 5432)
  const port = rows[0]?.port ?? null
  return port !== null && asked !== port
}
