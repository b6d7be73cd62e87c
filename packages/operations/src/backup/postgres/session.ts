import {
  connectPostgres,
  refusePooled,
  requireDirect,
  type PostgresClient,
  type PostgresUrl,
} from '@outgrow/databases'

/** Every name is written with its schema then, and what is read as text says the same in every session. */
const settings = [
  'SET search_path TO pg_catalog',
  'SET jit = off',
  'SET default_transaction_read_only = off',
  'SET synchronize_seqscans = off',
  "SET xmloption = 'content'",
  "SET lc_monetary = 'C'",
  'SET array_nulls = on',
  "SELECT set_config('client_connection_check_interval', '1s', false) WHERE current_setting('client_connection_check_interval', true) IS NOT NULL",
]

export interface Sessions {
  /** A connection more, which is closed with the others. */
  open: () => Promise<PostgresClient>
}

/**
 * Runs `use` with connections of one database, which are closed whatever happens.
 * @throws Failure OUTGROW_TARGET_POOLED, OUTGROW_PROVIDER_UNSUPPORTED, OUTGROW_POSTGRES_UNREACHABLE
 */
export async function withSessions<Result>(
  url: PostgresUrl,
  signal: AbortSignal,
  use: (sessions: Sessions) => Promise<Result>,
): Promise<Result> {
  requireDirect(url.url.href, 'backup')
  await refusePooled(url, signal)
  const clients: PostgresClient[] = []
  const open = async () => {
    const client = await connectPostgres(url, settings, signal)
    clients.push(client)
    return client
  }
  try {
    return await use({ open })
  } finally {
    await Promise.all(clients.map((client) => client.end().catch(() => {})))
  }
}
