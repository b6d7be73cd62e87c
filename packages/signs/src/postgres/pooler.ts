import type { PostgresClient, PostgresUrl } from '@outgrow/databases'

interface Backend {
  pid: number
  port: number | null
}

/** A pooler in transaction mode gives each statement any backend; one in session mode answers on another port. */
export async function detectPooler(
  { url }: PostgresUrl,
  client: PostgresClient,
  connect: () => Promise<PostgresClient>,
): Promise<'none' | 'other-port' | 'transaction' | 'unknown'> {
  const ask = async (one: PostgresClient) => {
    const { rows } = await one.query<Backend>('SELECT pg_backend_pid() AS pid, inet_server_port() AS port')
    return rows[0] as Backend
  }
  const first = await ask(client)
  let other: PostgresClient
  try {
    other = await connect()
  } catch {
    return 'unknown' // a role or a server at its limit
  }
  try {
    const second = await ask(other)
    if (second.pid === first.pid) return 'transaction'
    // Our transaction takes the backend; the other connection's next statement gets another one.
    await client.query('BEGIN')
    const during = await ask(other)
    await client.query('COMMIT')
    if (during.pid !== second.pid || (await ask(client)).pid !== first.pid) return 'transaction'
  } finally {
    await other.end().catch(() => {})
  }
  const asked = Number(url.port || url.searchParams.get('port') || process.env.PGPORT || 5432)
  return first.port !== null && asked !== first.port ? 'other-port' : 'none'
}
