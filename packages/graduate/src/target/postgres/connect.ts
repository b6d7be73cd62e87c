import { hostname } from 'node:os'
import { connectPostgres, type PostgresClient, type PostgresUrl } from '@outgrow/databases'
import { listenForEnd } from './server-failure.ts'

/** Names this process to whoever looks at the server's sessions: `outgrow 4711@host`. */
const sessionName = `outgrow ${process.pid}@${hostname()}`.slice(0, 63)

/** Opens a connection of a run: it is named, and the server ends its work soon after this process is gone. */
export async function connectForRun(target: PostgresUrl): Promise<PostgresClient> {
  const client = await connectPostgres(target)
  listenForEnd(client)
  await client.query("SELECT set_config('application_name', $1, false)", [sessionName])
  await client.query(
    "SELECT set_config('client_connection_check_interval', '1s', false) WHERE current_setting('client_connection_check_interval', true) IS NOT NULL",
  )
  return client
}
