import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { openSqlite, withPlainPostgres, withPostgres } from '@outgrow/databases'
import type { GraduationReport } from '@outgrow/graduate'
import { makeDatabase, temporaryFolder } from '@outgrow/testing'
import { makeShop, outgrow, startOutgrow } from '@outgrow/testing/cli'
import { hasPgbouncer, makePooledDatabase, type PooledDatabase } from '@outgrow/testing/pooler'
import { afterAll, beforeAll, describe, expect, inject, onTestFinished, test } from 'vitest'
import type { PoolDocument } from '../src/render/pool.ts'

const { file, schema } = makeShop(10)
const migration = join(dirname(schema), 'postgres/migrations/1_init')
mkdirSync(migration, { recursive: true })
writeFileSync(join(migration, 'migration.sql'), 'CREATE TABLE t (a int);')

const tablesAt = (url: string) =>
  withPostgres(url, async (client) => {
    const { rows } = await client.query<{ name: string }>(
      "SELECT relname AS name FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind = 'r'",
    )
    return rows.map(({ name }) => name).toSorted()
  })

const commands = {
  migrate: ['--from', file, '--schema', schema],
  'schema deploy': ['--schema', schema],
  inspect: ['--from', file, '--schema', schema],
  'schema status': ['--schema', schema],
}

describe.skipIf(!hasPgbouncer).each([
  ['as outgrow pool writes it', '', Object.keys(commands)],
  // Newer versions let options through, as this one does when it is told to.
  [
    'that takes options when a client connects',
    'ignore_startup_parameters = options\n',
    ['migrate', 'schema deploy'],
  ],
] as [string, string, (keyof typeof commands)[]][])('behind the real pgbouncer %s', (_, more, refused) => {
  let pooled: PooledDatabase
  beforeAll(async () => {
    pooled = await makePooledDatabase(inject('postgresUrl'), { more })
  })
  afterAll(() => pooled.drop())

  test('what needs sessions says that the URL leads to a pooler, and changes nothing, in its sessions neither', async () => {
    for (const name of refused) {
      const args = [...name.split(' '), ...commands[name], '--to', pooled.url]
      const { code, document } = await outgrow(args)
      expect([args, code, document.error?.code]).toEqual([args, 2, 'OUTGROW_TARGET_POOLED'])
      expect(document.error?.fix).toContain('DIRECT_URL')
    }
    expect(await tablesAt(pooled.directUrl)).toEqual([])
    const setting = await withPlainPostgres(pooled.url, async (client) => {
      const { rows } = await client.query<{ value: string }>(
        "SELECT current_setting('row_security') AS value",
      )
      return rows[0]?.value
    })
    expect(setting).toBe('on')
  })

  test('doctor measures through it, and sets nothing', async () => {
    const { document } = await outgrow<{ examination: { postgres: { pooler: string; timeZone: string } } }>([
      'doctor',
      '--database',
      pooled.url,
      '--window',
      '0.2',
      '--work-dir',
      temporaryFolder(),
    ])
    expect(document.examination.postgres).toMatchObject({ pooler: 'transaction', timeZone: 'UTC' })
  })
})

test.skipIf(!hasPgbouncer)(
  'a graduation is not touched through a pooler, whatever it is asked for',
  async () => {
    const shop = makeShop(10)
    openSqlite(shop.file).close() // in WAL mode
    const pooled = await makePooledDatabase(inject('postgresUrl'))
    const graduate = (args: string[], to: string) =>
      outgrow<GraduationReport>([
        'graduate',
        ...args,
        '--from',
        shop.file,
        '--to',
        to,
        '--work-dir',
        join(dirname(shop.file), 'work'),
      ])
    const begun = await graduate(
      ['--schema', 'introspect', '--cutover', 'auto', '--budget-ms', '60000'],
      pooled.directUrl,
    )
    expect([begun.code, begun.document.state]).toEqual([0, 'switched'])
    for (const command of ['cutover', 'rollback', 'complete', 'cancel']) {
      const { code, document } = await graduate([command], pooled.url)
      expect([command, code, document.error?.code]).toEqual([command, 2, 'OUTGROW_TARGET_POOLED'])
    }
    const back = await graduate(['rollback', '--budget-ms', '60000'], pooled.directUrl)
    expect([back.code, back.document.state]).toEqual([0, 'following'])
    await pooled.drop()
  },
)

describe.skipIf(!hasPgbouncer)('with DIRECT_URL', () => {
  let pooled: PooledDatabase
  let env: Record<string, string>
  beforeAll(async () => {
    pooled = await makePooledDatabase(inject('postgresUrl'))
    env = { DATABASE_URL: pooled.url, DIRECT_URL: pooled.directUrl }
  })
  afterAll(() => pooled.drop())

  test('that leads to another database nothing is done in either', async () => {
    const other = await makeDatabase(inject('postgresUrl'))
    const deployed = await outgrow(['schema', 'deploy', '--schema', schema], {
      ...env,
      DIRECT_URL: other.url,
    })
    expect([deployed.code, deployed.document.error?.code]).toEqual([2, 'OUTGROW_DIRECT_URL_OTHER'])
    const away = await outgrow(['schema', 'deploy', '--schema', schema], {
      ...env,
      DIRECT_URL: 'postgresql://app:topsecret@127.0.0.1:1/app',
    })
    expect([away.code, away.document.error?.code]).toEqual([2, 'OUTGROW_DIRECT_URL_UNCHECKED'])
    expect(away.stdout + away.stderr).not.toContain('topsecret')
    expect([await tablesAt(other.url), await tablesAt(pooled.directUrl)]).toEqual([[], []])
    // What is named is taken as it is.
    const named = await outgrow(
      ['schema', 'status', '--no-compare', '--schema', schema, '--to', other.url],
      env,
    )
    expect(named.document.error).toBeNull()
    await other.drop()
  })

  test('a file is migrated as it is', async () => {
    const fileUrl = `file:${join(temporaryFolder(), 'app.db')}`
    const deployed = await outgrow(['schema', 'deploy', '--schema', schema], {
      ...env,
      DATABASE_URL: fileUrl,
    })
    expect(deployed.document.error?.code).toBe('OUTGROW_MIGRATION_NONE') // of SQLite
    expect(await tablesAt(pooled.directUrl)).toEqual([])
  })

  test('a move goes there by itself, and so do migrations', async () => {
    const move = ['migrate', '--from', file, '--schema', 'introspect', '--work-dir', temporaryFolder()]
    const moved = await outgrow(move, { POSTGRES_URL: pooled.url, DIRECT_URL: pooled.directUrl })
    expect([moved.code, moved.document.error]).toEqual([0, null])
    expect(await tablesAt(pooled.directUrl)).toEqual(['Customer', 'Order'])
    const deployed = await outgrow<{ error: unknown; applied?: string[] }>(
      ['schema', 'baseline', '--schema', schema],
      env,
    )
    // It was asked at the server itself, which has other tables than the migration makes.
    expect(deployed.document.error).toMatchObject({ code: 'OUTGROW_BASELINE_DIFFERS' })
  })
})

describe('outgrow pool', () => {
  const base = ['pool', '--cores', '2', '--processes', '3']

  test('computes without a server, writes nothing, and gives each number its reason', async () => {
    const { code, document } = await outgrow<PoolDocument>([...base, '--max-connections', '100'])
    expect([code, document.poolSize, document.serverConnections, document.clientConnections]).toEqual([
      0, 5, 6, 30,
    ])
    expect(document.settings.every(({ why }) => why.length > 20)).toBe(true)
    expect(document.files.every(({ isWritten }) => !isWritten)).toBe(true)
    expect(document.notes.join()).toContain('was not asked')
  })

  test.skipIf(!existsSync('/proc/self')).each([
    ['pool', [...base, '--max-connections', '100']],
    ['export', ['export', '--from', file]],
  ] as [string, string[]][])(
    '%s refuses a folder that cannot be made, and does not hang',
    async (_, args) => {
      const { child, ended } = startOutgrow([...args, '--dir', '/proc/outgrow/pool'])
      onTestFinished(() => void child.kill('SIGKILL')) // one that hangs hears nothing else
      const { code, document } = await ended
      expect([code, document.error?.code]).toEqual([2, 'OUTGROW_SYSTEM'])
    },
  )

  test('writes files that only their owner reads, and overwrites none', async () => {
    const database = await makeDatabase(inject('postgresUrl'))
    const folder = join(temporaryFolder(), 'pool')
    const args = [...base, '--database', database.url, '--auth', 'userlist', '--dir', folder]
    const dry = await outgrow<PoolDocument>([...args, '--dry-run'])
    expect(dry.code).toBe(0)
    expect(() => readdirSync(folder)).toThrow('ENOENT')
    const { code, document, stdout, stderr } = await outgrow<PoolDocument>(args)
    expect(code).toBe(0)
    const modes = readdirSync(folder)
      .toSorted()
      .map((name) => [name, (statSync(join(folder, name)).mode & 0o777).toString(8)])
    expect(modes).toEqual([
      ['pgbouncer.ini', '640'],
      ['pool.env', '600'],
      ['setup.sql', '600'],
      ['userlist.txt', '600'],
    ])
    const users = readFileSync(join(folder, 'userlist.txt'), 'utf8')
    expect(users).toMatch(/^"postgres" "SCRAM-SHA-256\$4096:/m)
    const secrets = [
      new URL(database.url).password,
      ...[...users.matchAll(/" "(.+)"$/gm)].map(([, secret]) => secret as string),
      ...[...readFileSync(join(folder, 'pool.env'), 'utf8').matchAll(/:([^:@/]+)@/g)].map(
        ([, one]) => one as string,
      ),
    ]
    expect(secrets.length).toBeGreaterThan(4)
    for (const secret of secrets) expect(stdout + stderr).not.toContain(secret)
    expect(document.urls.DATABASE_URL).toContain(':***@127.0.0.1:6432')
    const again = await outgrow<PoolDocument>(args)
    expect([again.code, again.document.error?.code]).toEqual([2, 'OUTGROW_POOL_EXISTS'])
    expect(readFileSync(join(folder, 'userlist.txt'), 'utf8')).toBe(users)
    expect((await outgrow([...args, '--force'])).code).toBe(0)
    expect(readFileSync(join(folder, 'userlist.txt'), 'utf8')).not.toBe(users)
    await database.drop()
  })

  test.each([
    [['--processes', '3'], 'OUTGROW_OPTION_INVALID'],
    [['--cores', '2', '--processes', '3'], 'OUTGROW_OPTION_INVALID'],
    [['--cores', 'two', '--processes', '3', '--max-connections', '100'], 'OUTGROW_OPTION_INVALID'],
    [
      ['--cores', '2', '--processes', '3', '--max-connections', '100', '--listen', 'here'],
      'OUTGROW_OPTION_INVALID',
    ],
    [
      ['--cores', '2', '--processes', '3', '--max-connections', '100', '--databases', 'a\nb'],
      'OUTGROW_OPTION_INVALID',
    ],
    [['--cores', '2', '--processes', '3', '--max-connections', '12'], 'OUTGROW_POOL_NO_ROOM'],
    [
      ['--cores', '2', '--processes', '3', '--max-connections', '100', '--auth', 'userlist'],
      'OUTGROW_POOL_SECRET',
    ],
    [['--check'], 'OUTGROW_OPTION_INVALID'],
    [
      ['--check', '--admin-url', 'postgresql://a:topsecret@127.0.0.1:1/pgbouncer'],
      'OUTGROW_POSTGRES_UNREACHABLE',
    ],
  ])('%j is refused before anything is done', async (args, code) => {
    const { document, stdout, stderr } = await outgrow(['pool', ...args])
    expect(document.error?.code).toBe(code)
    expect(stdout + stderr).not.toContain('topsecret')
  })

  test.skipIf(!hasPgbouncer)('a server behind a pooler is not asked through it', async () => {
    const pooled = await makePooledDatabase(inject('postgresUrl'))
    const { document } = await outgrow([...base, '--database', pooled.url])
    expect(document.error?.code).toBe('OUTGROW_TARGET_POOLED')
    await pooled.drop()
  })

  test('a name that the server does not have is refused', async () => {
    const args = [...base, '--database', inject('postgresUrl')]
    for (const more of [
      ['--roles', 'nobody-here'],
      ['--databases', 'nothing-here'],
    ]) {
      const { document } = await outgrow([...args, ...more])
      expect(document.error?.code).toBe('OUTGROW_POOL_UNKNOWN_NAME')
    }
  })

  test.skipIf(!hasPgbouncer)(
    '--check ends with 4, with what was found and what was not measured',
    async () => {
      const pooled = await makePooledDatabase(inject('postgresUrl'), { more: 'query_wait_timeout = 120\n' })
      const { code, document, stdout, stderr } = await outgrow<PoolDocument>(['pool', '--check'], {
        DATABASE_URL: pooled.url,
        DIRECT_URL: pooled.directUrl,
        PGBOUNCER_ADMIN_URL: pooled.adminUrl,
      })
      expect(code).toBe(4)
      expect(document.findings.map((one) => one.code)).toContain('OUTGROW_POOL_WAIT_TIMEOUT')
      expect(document.unknown.join()).toContain('--processes')
      for (const url of [pooled.url, pooled.adminUrl])
        expect(stdout + stderr).not.toContain(new URL(url).password)
      await pooled.drop()
    },
  )
})
