import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import {
  CertificateAuthority,
  hasOpenssl,
  makeDatabase,
  makeSqlite,
  ManagedPostgres,
  temporaryFolder,
  type TestDatabase,
} from '@outgrow/testing'
import { makeShop, outgrow } from '@outgrow/testing/cli'
import { describe, expect, inject, test } from 'vitest'
import type { DoctorDocument } from '../src/commands/doctor.ts'

const neon = 'ep-test-1.eu-central-1.aws.neon.tech'
const neonPooled = 'ep-test-1-pooler.eu-central-1.aws.neon.tech'

/** A database that belongs to a role as providers give it: no superuser, no CREATEDB, no CREATEROLE. */
async function modestDatabase(): Promise<TestDatabase & { role: { user: string; password: string } }> {
  const database = await makeDatabase(inject('postgresUrl'))
  const name = new URL(database.url).pathname.slice(1)
  const role = { user: `owner_${name}`, password: 'to+be@hidden' }
  await database.query(`CREATE ROLE ${role.user} LOGIN PASSWORD 'to+be@hidden'`)
  await database.query(`ALTER DATABASE ${name} OWNER TO ${role.user}`)
  return {
    ...database,
    role,
    drop: async () => {
      await database.drop()
      const server = await makeDatabase(inject('postgresUrl'))
      await server.query(`DROP ROLE ${role.user}`)
      await server.drop()
    },
  }
}

function withMigration(schema: string): void {
  const migration = join(dirname(schema), 'postgres/migrations/1_init')
  mkdirSync(migration, { recursive: true })
  writeFileSync(join(migration, 'migration.sql'), 'CREATE TABLE t (a int);')
}

test('a pooled host and an unsupported provider are refused by their names, before anybody is asked', async () => {
  const { file, schema } = makeShop(10)
  withMigration(schema)
  const server = await ManagedPostgres.start(inject('postgresUrl'))
  const pooled = server.url(neonPooled, { password: 'topsecret' })
  const dsql = server.url('abc.dsql.eu-west-1.on.aws')
  for (const [args, url, code, says] of [
    [['migrate', '--from', file], pooled, 'OUTGROW_TARGET_POOLED', `the same URL with ${neon}:`],
    [['graduate', '--from', file], pooled, 'OUTGROW_TARGET_POOLED', `the same URL with ${neon}:`],
    [['schema', 'deploy'], pooled, 'OUTGROW_TARGET_POOLED', `the same URL with ${neon}:`],
    [['migrate', '--from', file], dsql, 'OUTGROW_PROVIDER_UNSUPPORTED', 'docs/providers.md'],
  ] as const) {
    const work = args[0] === 'schema' ? [] : ['--work-dir', temporaryFolder()]
    const ran = await outgrow([...args, ...work, '--schema', schema, '--to', url])
    expect([ran.code, ran.document.error?.code]).toEqual([2, code])
    expect(ran.document.error?.fix).toContain(says)
    expect(ran.stdout + ran.stderr).not.toContain('topsecret')
  }
  expect(server.seen.connections).toBe(0)
  await server.stop()
})

describe.skipIf(!hasOpenssl)('with certificates of openssl', () => {
  test('a role that may little migrates, graduates and deploys to a host that sleeps, wants TLS and a name', async () => {
    const { file, schema } = makeShop(200)
    const authority = new CertificateAuthority()
    const certificate = authority.issue(neon, 'direct.abc.flympg.net')
    for (const [command, host, more] of [
      ['migrate', neon, []],
      ['graduate', 'direct.abc.flympg.net', ['--cutover', 'auto', '--stop-writes']],
    ] as const) {
      const database = await modestDatabase()
      const server = await ManagedPostgres.start(database.url, {
        certificate,
        requiresTls: true,
        requiresServerName: true,
      })
      server.sleeps = host === neon ? 1 : 0
      const to = server.url(host, {
        ...database.role,
        sslmode: 'verify-full',
        sslrootcert: authority.root.certPath,
      })
      const args = ['--from', file, '--schema', schema, '--to', to, '--work-dir', temporaryFolder()]
      const { code, document, stderr, stdout } = await outgrow([command, ...args, ...more])
      expect([code, document.error, document.findings]).toEqual([0, null, []])
      expect(await database.query('SELECT count(*)::int AS rows FROM "Order"')).toEqual([{ rows: 200 }])
      expect(stderr + stdout).not.toContain('hidden')
      expect(server.seen.refused).toBe(host === neon ? 1 : 0)
      await server.stop()
      await database.drop()
    }
    withMigration(schema)
    const database = await modestDatabase()
    const server = await ManagedPostgres.start(database.url, { certificate, requiresTls: true })
    const to = server.url('db.abc.supabase.co', { ...database.role, sslmode: 'require' })
    const { code, document } = await outgrow<{ applied: string[] }>([
      'schema',
      'deploy',
      '--schema',
      schema,
      '--to',
      to,
    ])
    expect([code, document.applied]).toEqual([0, ['0_init', '1_init']])
    await server.stop()
    await database.drop()
  })

  test('doctor trusts what the system trusts, where it is told to', async () => {
    const database = await modestDatabase()
    const authority = new CertificateAuthority()
    const server = await ManagedPostgres.start(database.url, { certificate: authority.issue(neon) })
    const url = server.url(neon, { ...database.role, sslrootcert: 'system' })
    const args = ['doctor', '--window', '0.2', '--work-dir', temporaryFolder(), '--database', url]
    const { document } = await outgrow<DoctorDocument>(args, { SSL_CERT_FILE: authority.root.certPath })
    expect(document.examination).toMatchObject({
      managedBy: {
        name: 'neon',
        pool: 'none',
        hosts: [`direct: ${neon}:${server.port}`, `pooled: ${neonPooled}:${server.port}`],
      },
      signs: expect.arrayContaining([
        expect.objectContaining({
          name: 'connection-security',
          level: 'fine',
          text: 'encrypted and verified',
        }),
      ]) as unknown,
    })
    await server.stop()
    await database.drop()
  })
})

test('a limit of connections stops a move with the limit’s name, and the target as it was', async () => {
  const { file, schema } = makeShop(10)
  const database = await modestDatabase()
  const server = await ManagedPostgres.start(database.url, {
    limit: {
      connections: 2,
      code: 'XX000',
      message:
        'MaxClientsInSessionMode: max clients reached - in Session mode max clients are limited to pool_size',
    },
  })
  const to = server.url('aws-0-eu-west-1.pooler.supabase.com', { ...database.role, port: server.port })
  const { code, document } = await outgrow([
    'migrate',
    '--from',
    file,
    '--schema',
    schema,
    '--to',
    to,
    '--work-dir',
    temporaryFolder(),
  ])
  expect([code, document.error?.code]).toEqual([2, 'OUTGROW_POSTGRES_UNREACHABLE'])
  expect(document.error?.why).toContain('Supabase allows no more connections. In session mode')
  expect(
    await database.query("SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace"),
  ).toEqual([])
  await server.stop()
  await database.drop()
})

test('a file that the free plan cannot hold is named before the move', async () => {
  const file = makeSqlite('CREATE TABLE "T" (id INTEGER NOT NULL PRIMARY KEY)')
  writeFileSync(`${file}-wal`, '')
  const server = await ManagedPostgres.start(inject('postgresUrl'))
  await server.stop()
  const { truncateSync } = await import('node:fs')
  truncateSync(`${file}-wal`, 600e6)
  const { document, stderr } = await outgrow([
    'migrate',
    '--from',
    file,
    '--schema',
    'introspect',
    '--to',
    server.url('db.abc.supabase.co', { connect_timeout: 1 }),
    '--work-dir',
    temporaryFolder(),
  ])
  expect(document.error?.code).toBe('OUTGROW_POSTGRES_UNREACHABLE')
  expect(stderr).toContain('Supabase: A free project becomes read-only above 500 MB.')
})
