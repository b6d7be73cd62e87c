import { spawnSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { withPostgres } from '@outgrow/databases'
import { freePort } from './ports.ts'
import { run, type Running } from './running.ts'
import { temporaryFolder } from './sqlite.ts'

export const hasPooler = spawnSync('pgbouncer', ['--version']).status === 0

export interface Pooler extends Running {
  url: string
  /** Of its console, for a user who may only look. */
  consoleUrl: string
}

/** A real pgbouncer in front of a database, with a server connection a transaction. */
export async function startPooler(target: string, poolSize: number): Promise<Pooler> {
  const { username, password, hostname, port, pathname } = new URL(target)
  const listen = await freePort()
  const ini = join(temporaryFolder(), 'pgbouncer.ini')
  writeFileSync(
    ini,
    `[databases]
app = host=${hostname} port=${port} dbname=${pathname.slice(1)} user=${username} password=${password}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = ${listen}
unix_socket_dir =
auth_type = any
pool_mode = transaction
default_pool_size = ${poolSize}
stats_users = watcher
`,
  )
  const at = `127.0.0.1:${listen}`
  const url = `postgresql://${username}@${at}/app?sslmode=disable`
  const running = await run('pgbouncer', [...(process.getuid?.() === 0 ? ['-u', 'nobody'] : []), ini], {
    isReady: () => withPostgres(url, async (client) => (await client.query('SELECT 1')).rows.length > 0),
  })
  return { ...running, url, consoleUrl: `postgresql://watcher@${at}/pgbouncer?sslmode=disable` }
}
