import { spawnSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { chmodSync, chownSync, existsSync, readFileSync, statSync } from 'node:fs'
import { basename, join } from 'node:path'
import { withPostgres } from '@outgrow/databases'
import { until } from '@outgrow/testing'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { judgeArchiving } from '../../src/backup/archiving/judge.ts'
import { readArchiving } from '../../src/backup/archiving/readings.ts'
import { checkServer } from '../../src/backup/pgbackrest/check-server.ts'
import { readOwnServer } from '../../src/backup/pgbackrest/own-server.ts'
import { initOwnServer } from '../../src/backup/pgbackrest/init-own-server.ts'
import { commandsBelow, hasPgBackrest, OwnServer, serverBinaries } from './own-server.ts'

const hasAnalyzer = spawnSync('systemd-analyze', ['--version']).status === 0
const isInstalled = hasPgBackrest && serverBinaries !== undefined

describe.skipIf(!isInstalled)('an own server with Debian’s pgBackRest', () => {
  let server: OwnServer
  let runbook: string
  let files: string[]
  const passphrase = randomBytes(32).toString('hex')

  beforeAll(async () => {
    server = await OwnServer.start()
  })
  afterAll(async () => {
    await server[Symbol.asyncDispose]()
  })

  const check = async () => {
    const { signal } = new AbortController()
    // As the account of the server the check runs with its folders.
    Object.assign(process.env, server.env)
    return checkServer(server.url, {
      configPath: `${server.folder}/pgbackrest.conf`,
      stanza: server.stanza,
      signal,
    })
  }
  const codes = async () => (await check()).findings.map(({ code }) => code)
  const query = (sql: string, url = server.url) =>
    withPostgres(url, async (client) => (await client.query(sql)).rows as Record<string, unknown>[])

  test('is taken for a managed one by a role that only providers have, and nothing is written', async () => {
    await query('CREATE ROLE rds_superuser')
    await expect(readOwnServer(server.url)).rejects.toMatchObject({ code: 'OUTGROW_BACKUP_MANAGED' })
    await query('DROP ROLE rds_superuser')
    await query('CREATE ROLE plain LOGIN')
    const url = server.url.replace('postgres@', 'plain@')
    await expect(readOwnServer(url)).rejects.toMatchObject({ code: 'OUTGROW_BACKUP_ROLE' })
  })

  test('is found not to archive, before anything was written', async () => {
    expect(await codes()).toContain('OUTGROW_ARCHIVE_OFF')
  })

  test('gets files that are its own, with the passphrase in one of them only', async () => {
    process.env.OUTGROW_BACKUP_KEY = passphrase
    const request = {
      url: server.url,
      location: `${server.folder}/repository`,
      isEncrypted: true,
      stanza: server.stanza,
      configPath: `${server.folder}/pgbackrest.conf`,
      folder: server.folder,
    }
    const planned = await initOwnServer({ ...request, dryRun: true })
    expect(planned.files.filter((file) => existsSync(file))).toEqual([])
    const written = await initOwnServer({ ...request, dryRun: false })
    expect(written).toEqual(planned)
    expect(written.restart).toEqual(['archive_mode'])
    files = written.files
    runbook = readFileSync(join(server.folder, 'RUNBOOK.md'), 'utf8')
    expect(statSync(join(server.folder, 'pgbackrest.conf')).mode & 0o777).toBe(0o640)
    const holders = files.filter((file) => readFileSync(file, 'utf8').includes(passphrase))
    expect(holders.map((file) => basename(file))).toEqual(['pgbackrest.conf'])
    const { uid, gid } = statSync(server.data)
    chownSync(join(server.folder, 'pgbackrest.conf'), uid, gid)
  })

  test('archives after the runbook’s own commands and a restart, and is found to', async () => {
    const [, create, take] = commandsBelow(runbook, 'Install') as [string, string, string]
    await server.shell(create)
    expect(await codes()).toContain('OUTGROW_ARCHIVE_RESTART')
    await server.restart()
    await server.shell(take)
    const { findings, facts, unknown } = await check()
    expect({ findings, unknown }).toEqual({ findings: [], unknown: [] })
    expect(facts).toContain('pgbackrest check: a segment of WAL reached the repository.')
  })

  test('is restored to a time before the damage, beside the server', async () => {
    await query('CREATE TABLE orders (id int PRIMARY KEY, note text)')
    await query("INSERT INTO orders SELECT n, 'in the full backup ' || n FROM generate_series(1, 1000) n")
    await server.shell(
      `pgbackrest --config=${server.folder}/pgbackrest.conf --stanza=${server.stanza} --type=diff backup`,
    )
    await query("INSERT INTO orders SELECT n, 'in the WAL only ' || n FROM generate_series(1001, 2000) n")
    const [digest] = await query(digestOfOrders)
    const [time] = await query('SELECT now()::text AS at')
    await query('DELETE FROM orders WHERE id % 2 = 0')

    const [restore, stop] = commandsBelow(runbook, 'Restore to a time, beside the server') as [string, string]
    const copy = `${server.folder}/copy`
    const script = restore
      .replace(/^TARGET=.*$/m, `TARGET='${String(time?.at)}'`)
      .replace(/^COPY=.*$/m, `COPY=${copy}`)
    await server.shell(script)
    const port = /-o "-p (\d+)/.exec(restore)?.[1]
    const url = `postgresql://postgres@127.0.0.1:${port}/postgres?sslmode=disable`
    await until(async () => (await query('SELECT pg_is_in_recovery() AS is', url))[0]?.is === false)
    expect(await query(digestOfOrders, url)).toEqual([digest])
    expect(await query('SHOW archive_mode', url)).toEqual([{ archive_mode: 'off' }])
    // A restore empties its spool, and the original is writing into its own.
    expect(await query("SELECT current_setting('restore_command') AS command", url)).toEqual([
      { command: expect.stringContaining(`${copy}.spool`) },
    ])
    expect(await query('SELECT count(*)::int AS n FROM orders')).toEqual([{ n: 1000 }])
    await server.shell(`COPY=${copy}\n${stop}`)

    const [inPlace] = commandsBelow(runbook, 'Restore to a time, in place') as [string]
    await server.shell(inPlace.replace(/^TARGET=.*$/m, `TARGET='${String(time?.at)}'`))
    await until(async () => (await query('SELECT pg_is_in_recovery() AS is'))[0]?.is === false)
    expect(await query(digestOfOrders)).toEqual([digest])
  })

  test('is found to fail archiving while the repository is away, and to be well again afterwards', async () => {
    const isFailing = async () => {
      const { findings } = judgeArchiving(await readArchiving(server.url), {
        pattern: /./,
        name: '',
        fix: '',
      })
      return findings.some(({ code }) => code === 'OUTGROW_ARCHIVE_FAILING')
    }
    const write = async (id: number) => {
      await query(`INSERT INTO orders VALUES (${id}, 'for another segment')`)
      await query('SELECT pg_switch_wal()')
    }
    chmodSync(`${server.folder}/repository`, 0o000)
    await write(-1)
    await until(isFailing)
    expect(await codes()).toContain('OUTGROW_ARCHIVE_FAILING')
    chmodSync(`${server.folder}/repository`, 0o750)
    await write(-2) // wakes the archiver, which rests for a minute after three attempts
    await until(async () => !(await isFailing()))
    expect(await codes()).toEqual([])
  })

  test.skipIf(!hasAnalyzer)('has units that systemd takes', () => {
    const units = files.filter((file) => /\.(service|timer)$/.test(file))
    expect(units).toHaveLength(5)
    const verified = units.map((file) => file.replace('@.service', '@full.service'))
    const { status, stderr } = spawnSync('systemd-analyze', ['verify', '--man=no', ...verified], {
      encoding: 'utf8',
      env: { ...process.env, SYSTEMD_UNIT_PATH: `${server.folder}:` },
    })
    expect({ status, said: stderr.split('\n').filter((line) => line.includes(server.stanza)) }).toEqual({
      status: 0,
      said: [],
    })
  })
})

const digestOfOrders = `SELECT count(*)::int AS rows, md5(string_agg(id || ' ' || note, ',' ORDER BY id)) AS digest FROM orders`
