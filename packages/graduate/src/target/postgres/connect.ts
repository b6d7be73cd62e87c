import { hostname } from 'node:os'
import {
  connectPostgres,
  quoteLiteral,
  refusePooled,
  type PostgresClient,
  type PostgresUrl,
} from '@outgrow/databases'
import { listenForEnd } from './server-failure.ts'

/** Names this process to whoever looks at the server's sessions: `outgrow 4711@host`. */
const sessionName = `outgrow ${process.pid}@${hostname()}`.slice(0, 63)

/**
 * Opens a connection of a run: it is named, and the server ends its work soon after this process is gone.
 * @param signal ends it at once when it aborts, whatever the server is doing
 * @throws Failure OUTGROW_TARGET_POOLED, OUTGROW_POSTGRES_UNREACHABLE
 */
export async function connectForRun(target: PostgresUrl, signal: AbortSignal): Promise<PostgresClient> {
  const settings = [
    `SET application_name = ${quoteLiteral(sessionName)}`,
    "SELECT set_config('client_connection_check_interval', '1s', false) WHERE current_setting('client_connection_check_interval', true) IS NOT NULL",
    // Sums over millions of rows look costly enough to be compiled, which with many columns takes longer than they do.
    'SET jit = off',
  ]
  await refusePooled(target, signal) // before anything is set on its sessions
  const client = await connectPostgres(target, settings, signal)
  listenForEnd(client)
  return client
}
