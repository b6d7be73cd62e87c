import { execFile, spawn, spawnSync, type ChildProcess } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { chmodSync, chownSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseEnv, promisify } from 'node:util'
import { quoteIdentifier, quoteLiteral, withPlainPostgres, withPostgres } from '@outgrow/databases'
import { preparePool, writePoolFiles, type PreparedPool, type PrepareRequest } from '@outgrow/operations'
import { freePort } from './ports.ts'
import { temporaryFolder } from './sqlite.ts'
import { until } from './until.ts'

/** And psql, which runs its setup. */
export const hasPgbouncer = ['pgbouncer', 'psql'].every((name) => spawnSync(name, ['--version']).status === 0)

export interface PooledDatabase {
  /** Through the pooler. */
  url: string
  directUrl: string
  /** Of the pooler's console. */
  adminUrl: string
  /** Where its configuration lies. */
  folder: string
  prepared: PreparedPool
  /** Ends the pooler, and drops the database and its role. */
  drop(): Promise<void>
}

export type PoolerSettings = Partial<PrepareRequest> & {
  /** Of the database, and of the role that it belongs to. */
  name?: string
  role?: string
  /** Lines for the end of pgbouncer.ini. */
  more?: string
}

/**
 * A fresh database of a role of its own, behind a real pgbouncer that is configured as `outgrow pool` writes it, files and SQL.
 * @param serverUrl of a superuser
 */
export async function makePooledDatabase(
  serverUrl: string,
  {
    name = `pooled_${randomBytes(6).toString('hex')}`,
    role = name,
    more = '',
    ...asked
  }: PoolerSettings = {},
): Promise<PooledDatabase> {
  const password = randomBytes(12).toString('base64url')
  await withPostgres(serverUrl, async (client) => {
    await client.query(`CREATE ROLE ${quoteIdentifier(role)} LOGIN PASSWORD ${quoteLiteral(password)}`)
    await client.query(
      `CREATE DATABASE ${quoteIdentifier(name)} OWNER ${quoteIdentifier(role)} TEMPLATE template0 ENCODING 'UTF8'`,
    )
  })
  const direct = new URL(serverUrl)
  direct.username = encodeURIComponent(role)
  direct.password = password
  direct.pathname = encodeURIComponent(name)
  const folder = join(temporaryFolder(), 'pool')
  const prepared = await preparePool({
    cores: 2,
    processes: 3,
    connectionLimit: undefined,
    maxConnections: undefined,
    // The role of auth_query is the cluster's: tests that share one would take each other's password away.
    auth: 'userlist',
    listen: { host: '127.0.0.1', port: await freePort() },
    folder,
    databaseUrl: direct.href,
    databases: [],
    roles: [],
    ...asked,
  })
  const [ini, ...others] = prepared.files as [PreparedPool['files'][0], ...PreparedPool['files']]
  writePoolFiles(folder, [{ ...ini, text: `${ini.text}${more}` }, ...others], false)
  await runSetup(serverUrl, folder)
  const env = parseEnv(readFileSync(join(folder, 'pool.env'), 'utf8'))
  const adminUrl = env.PGBOUNCER_ADMIN_URL as string
  const pooler = await runPgbouncer(folder, adminUrl)
  return {
    url: env.DATABASE_URL as string,
    directUrl: env.DIRECT_URL as string,
    adminUrl,
    folder,
    prepared,
    drop: async () => {
      await pooler[Symbol.asyncDispose]()
      await withPostgres(serverUrl, async (client) => {
        await client.query(`DROP DATABASE ${quoteIdentifier(name)} WITH (FORCE)`)
        await client.query(`DROP ROLE ${quoteIdentifier(role)}`)
      })
    },
  }
}

/** As the script says how to run it. */
async function runSetup(serverUrl: string, folder: string): Promise<void> {
  const { hostname, port, username, password } = new URL(serverUrl)
  await promisify(execFile)('psql', ['-X', '-v', 'ON_ERROR_STOP=1', '-f', join(folder, 'setup.sql')], {
    env: {
      ...process.env,
      PGHOST: hostname,
      PGPORT: port,
      PGUSER: decodeURIComponent(username),
      PGPASSWORD: decodeURIComponent(password),
      PGDATABASE: 'postgres',
      PGSSLMODE: 'disable',
    },
  })
}

/** Starts pgbouncer, which refuses to be root, and waits until it answers. */
export async function runPgbouncer(folder: string, adminUrl: string): Promise<AsyncDisposable> {
  const isRoot = process.getuid?.() === 0
  if (isRoot) giveToNobody(folder)
  const child = spawn('pgbouncer', [...(isRoot ? ['-u', 'nobody'] : []), join(folder, 'pgbouncer.ini')], {
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  let said = ''
  child.stderr.setEncoding('utf8').on('data', (text: string) => (said += text))
  const running = killing(child)
  await until(async () => {
    if (child.exitCode !== null) throw new Error(`pgbouncer ended: ${said}`)
    return withPlainPostgres(adminUrl, async (client) => {
      await client.query('SHOW VERSION')
      return true
    }).catch(() => false)
  }).catch(async (error: unknown) => {
    await running[Symbol.asyncDispose]()
    throw error
  })
  return running
}

/** It holds nothing that is worth a farewell. */
function killing(child: ChildProcess): AsyncDisposable {
  return {
    [Symbol.asyncDispose]: async () => {
      if (child.exitCode !== null || child.signalCode !== null) return
      child.kill('SIGKILL')
      await once(child, 'exit')
    },
  }
}

/** The files, and the way to them: temporary folders are their owner's alone. */
function giveToNobody(folder: string): void {
  const uid = Number(spawnSync('id', ['-u', 'nobody'], { encoding: 'utf8' }).stdout)
  chmodSync(join(folder, '..'), 0o755)
  for (const name of readdirSync(folder)) chownSync(join(folder, name), uid, uid)
}
