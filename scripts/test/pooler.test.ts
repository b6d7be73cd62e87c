import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { dirname, join } from 'node:path'
import { withPostgres } from '@outgrow/databases'
import { makeDatabase, temporaryFolder, until } from '@outgrow/testing'
import { describe, expect, inject, test } from 'vitest'
import { makeShop, outgrow } from '@outgrow/testing/cli'

const isInstalled = spawnSync('pgbouncer', ['--version']).status === 0

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as { port: number }
  server.close()
  await once(server, 'close')
  return port
}

/** A real pgbouncer in front of a database, with a server connection a transaction. */
async function withPooler(target: string, use: (url: string) => Promise<void>): Promise<void> {
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
`,
  )
  const pooler = spawn('pgbouncer', [...(process.getuid?.() === 0 ? ['-u', 'nobody'] : []), ini], {
    stdio: 'ignore',
  })
  const url = `postgresql://${username}@127.0.0.1:${listen}/app?sslmode=disable`
  try {
    await until(() =>
      withPostgres(url, async (client) => (await client.query('SELECT 1')).rows.length > 0).catch(
        () => false,
      ),
    )
    await use(url)
  } finally {
    pooler.kill('SIGKILL')
    await once(pooler, 'exit')
  }
}

describe.skipIf(!isInstalled)('behind the real pgbouncer, a connection a transaction', () => {
  test('a move and a deployment say that the URL leads to a pooler, and change nothing', async () => {
    const { file, schema } = makeShop(10)
    const migration = join(dirname(schema), 'postgres/migrations/1_init')
    mkdirSync(migration, { recursive: true })
    writeFileSync(join(migration, 'migration.sql'), 'CREATE TABLE t (a int);')
    const target = await makeDatabase(inject('postgresUrl'))
    await withPooler(target.url, async (url) => {
      for (const args of [
        ['migrate', '--from', file, '--schema', schema, '--to', url],
        ['schema', 'deploy', '--schema', schema, '--to', url],
      ]) {
        const { code, document } = await outgrow(args)
        expect([args[0], code, document.error?.code]).toEqual([args[0], 2, 'OUTGROW_TARGET_POOLED'])
        expect(document.error?.fix).toContain('direct')
      }
    })
    expect(
      await target.query("SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace"),
    ).toEqual([])
    await target.drop()
  })
})
