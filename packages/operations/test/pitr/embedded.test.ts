import { execFileSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { copyFileSync, readFileSync, renameSync, rmSync, statSync, utimesSync } from 'node:fs'
import { join } from 'node:path'
import { embeddedFolder, embeddedState, quoteLiteral } from '@outgrow/databases'
import { until } from '@outgrow/testing'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { checkEmbedded } from '../../src/backup/pitr/check-embedded.ts'
import { backupStates } from '../../src/backup/catalog/backup-states.ts'
import { readCatalog } from '../../src/backup/catalog/read-catalog.ts'
import { takeBase } from '../../src/backup/pitr/take-base.ts'
import { backupsGroup } from '../../src/monitoring/metrics/backups.ts'
import { openStorage } from '../../src/backup/storage/open-storage.ts'
import { ArchivedServer, canArchive } from './archived-server.ts'

const digest = `SELECT count(*)::int AS rows, md5(string_agg(id || note, ',' ORDER BY id)) AS digest FROM orders`
const marker = 'a sentence that must not be readable in the archive'

describe.skipIf(!canArchive)('the embedded server with an archive of its WAL', () => {
  let archived: ArchivedServer
  const keyBefore = process.env.OUTGROW_BACKUP_KEY
  /** States to come back to. */
  const states: { name: string; at: Date; digest: unknown; segment: string }[] = []

  beforeAll(async () => {
    process.env.OUTGROW_BACKUP_KEY = randomBytes(32).toString('hex')
    archived = await ArchivedServer.start()
  })
  afterAll(async () => {
    process.env.OUTGROW_BACKUP_KEY = keyBefore
    await archived[Symbol.asyncDispose]()
  })

  const remember = async (name: string) => {
    const [found] = await archived.query(digest)
    const at = await archived.momentAfter()
    const [wal] = await archived.query('SELECT pg_walfile_name(pg_current_wal_lsn()) AS segment')
    states.push({ name, at, digest: found, segment: String(wal?.segment) })
  }
  const state = (name: string) => {
    const found = states.find((one) => one.name === name)
    if (!found) throw new Error(`no state ${name}`)
    return found
  }
  const insert = (from: number, to: number) =>
    archived.query(`INSERT INTO orders SELECT n, '${marker} ' || n FROM generate_series(${from}, ${to}) n`)
  const codesOfCheck = async () =>
    (await checkEmbedded(archived.workDir, new AbortController().signal)).findings.map(({ code }) => code)

  test('archives after init, at the same URL, and nothing in the storage can be read', async () => {
    await archived.query('CREATE TABLE orders (id int PRIMARY KEY, note text)')
    await insert(1, 100)
    expect(await codesOfCheck()).toEqual(['OUTGROW_ARCHIVE_OFF'])
    await archived.init()
    await insert(101, 2000)
    await remember('whole')
    await archived.archiveAll()
    expect(await codesOfCheck()).toEqual([])
    const found = execFileSync('grep', ['-rlc', 'sentence', archived.store, archived.folder], {
      encoding: 'utf8',
    })
      .split('\n')
      .filter((file) => file.startsWith(archived.store))
    expect(found).toEqual([])
  })

  test('is proved by a drill, which leaves nothing', async () => {
    const drill = await archived.drill()
    expect(drill).toMatchObject({ ok: true, compared: false, tables: 1, rows: 2000, problems: [] })
    const { backups } = await readCatalog(await openStorage(archived.store))
    expect(backups.map(({ header, drills }) => [header?.method, drills.length])).toEqual([['base', 1]])
  })

  test('is as old as the last WAL, however old its base backup is', async () => {
    const storage = await openStorage(archived.store)
    const inAWeek = new Date(Date.now() + 7 * 86_400_000)
    for (const segment of archived.segments())
      utimesSync(archived.pathOf(archived.store, segment), inAWeek, inAWeek)
    const { newest } = await backupStates(storage, { now: inAWeek })
    expect(newest?.ageSeconds).toBe(0)

    // The alert counts from the same moment.
    const asked = Date.now() / 1000
    const counters = () => expect.unreachable()
    const group = backupsGroup(archived.store, { provider: 'postgres', url: archived.server.url, counters })
    const samples = await group.read()
    const backedUp = samples?.find(({ name }) => name === 'outgrow_backup_timestamp_seconds')?.value
    expect(backedUp).toBeGreaterThanOrEqual(asked)
  })

  test('keeps its key in a file for the account of the server only, and in no setting', async () => {
    const { directory } = embeddedFolder(join(archived.workDir, 'postgres'))
    expect(statSync(join(directory, 'archive.json')).mode & 0o777).toBe(0o600)
    const shown = JSON.stringify(await archived.query('SELECT setting FROM pg_settings'))
    expect(shown).not.toContain(process.env.OUTGROW_BACKUP_KEY)
    expect(readFileSync(join(directory, 'server.log'), 'utf8')).not.toContain(process.env.OUTGROW_BACKUP_KEY)
  })

  test('takes no base backup while the server archives nothing, which would never be whole', async () => {
    const { signal } = new AbortController()
    const take = () => takeBase({ workDir: archived.workDir, signal, onProgress: () => {} })
    const set = async (sql: string) => {
      await archived.query(`ALTER SYSTEM ${sql}`)
      await archived.query('SELECT pg_reload_conf()')
    }
    const [before] = await archived.query("SELECT current_setting('archive_command') AS command")
    await set("SET archive_command = ''")
    await until(async () => (await codesOfCheck()).includes('OUTGROW_ARCHIVE_COMMAND'))
    await expect(take()).rejects.toMatchObject({ code: 'OUTGROW_ARCHIVE_NOT_SET_UP' })
    await set(`SET archive_command = ${quoteLiteral(String(before?.command))}`)
    await until(async () => !(await codesOfCheck()).includes('OUTGROW_ARCHIVE_COMMAND'))
  })

  test('goes on while the storage is away, says so, and catches up', async () => {
    const before = archived.segments()
    renameSync(archived.store, `${archived.store}-away`)
    await archived.query('DELETE FROM orders WHERE id % 2 = 0')
    await archived.query('SELECT pg_switch_wal()')
    await until(async () => (await codesOfCheckWithoutStore()).includes('OUTGROW_ARCHIVE_FAILING'))
    await remember('deleted')
    expect(() => statSync(archived.store)).toThrow('ENOENT')
    renameSync(`${archived.store}-away`, archived.store)
    await insert(3001, 3002) // something for another segment, which wakes the archiver
    await archived.archiveAll()
    expect(archived.segments().length).toBeGreaterThan(before.length + 1)
    expect(await codesOfCheck()).toEqual([])
  })

  test('archives on after it was killed', async () => {
    const { dataDirectory } = embeddedFolder(join(archived.workDir, 'postgres'))
    await insert(4001, 4100)
    await archived.query('SELECT pg_switch_wal()')
    process.kill(
      Number(readFileSync(join(dataDirectory, 'postmaster.pid'), 'utf8').split('\n')[0]),
      'SIGKILL',
    )
    await until(() => embeddedState(join(archived.workDir, 'postgres')) === 'stopped')
    // Its other processes end a moment later, and until then no server starts.
    await until(() =>
      archived.startServer().then(
        () => true,
        () => false,
      ),
    )
    await insert(4101, 4200)
    await remember('after the kill')
    await archived.archiveAll()
    await archived.query('DROP TABLE orders')
    const last = await archived.archiveAll()
    expect(archived.segments().toSorted().at(-1)).toBe(last)
    expect(await codesOfCheck()).toEqual([])
  })

  test('is restored to a time, with its password: the rows are equal', async () => {
    const { at, digest: expected } = state('after the kill')
    const { server } = await archived.recover(archived.store, archived.newWorkDir('restored'), at)
    expect(await archived.query(digest, server.url)).toEqual([expected])
    expect(new URL(server.url).password).toBe(new URL(archived.server.url).password)
    const [settings] = await archived.query(
      `SELECT current_setting('archive_mode') AS mode, current_setting('restore_command') AS restore, pg_is_in_recovery() AS recovers`,
      server.url,
    )
    expect(settings).toEqual({ mode: 'off', restore: '', recovers: false })
    await server.stop('immediate')
  })

  test('is restored to a time after the last transaction that was archived', async () => {
    const store = archived.copyOfStore('store of an idle server')
    const { at, digest: expected, segment } = state('whole')
    for (const name of archived.segments(store)) if (name > segment) rmSync(archived.pathOf(store, name))
    const { server, lastCommitAt } = await archived.recover(store, archived.newWorkDir('restored idle'), at)
    expect(await archived.query(digest, server.url)).toEqual([expected])
    expect(lastCommitAt?.getTime()).toBeLessThanOrEqual(at.getTime())
    await server.stop('immediate')
  })

  test('is restored to what was archived at the start, also while its server archives on', async () => {
    const store = archived.copyOfStore('store of a live server')
    const { segment, digest: expected } = state('after the kill')
    const later = archived.segments(store).filter((name) => name > segment)
    for (const name of later) rmSync(archived.pathOf(store, name))
    const arrive = () => {
      for (const name of later)
        copyFileSync(archived.pathOf(archived.store, name), archived.pathOf(store, name))
    }
    const { server } = await archived.recover(store, archived.newWorkDir('restored live'), undefined, arrive)
    expect(archived.segments(store)).toEqual(expect.arrayContaining(later))
    expect(await archived.query(digest, server.url)).toEqual([expected])
    await server.stop('immediate')
  })

  describe('refuses, before it writes anything, to restore', () => {
    const refused = async (store: string, at: Date | undefined) => {
      const workDir = archived.newWorkDir('refused')
      const error = await archived.recover(store, workDir, at).catch((error: unknown) => error)
      expect(archived.hasServer(workDir)).toBe(false)
      return error
    }

    test('to a time before the first base backup, and says the range', async () => {
      const error = await refused(archived.store, new Date('2020-01-01'))
      expect(error).toMatchObject({
        code: 'OUTGROW_RECOVERY_RANGE',
        message: expect.stringMatching(/all from \S+Z to \S+Z/),
      })
    })

    test('to a time after the last WAL', async () => {
      expect(await refused(archived.store, new Date('2099-01-01'))).toMatchObject({
        code: 'OUTGROW_RECOVERY_RANGE',
      })
    })

    test('past a segment that is missing, which it names', async () => {
      const store = archived.copyOfStore('store with a gap')
      const gone = archived.segments(store).at(-2) as string
      rmSync(archived.pathOf(store, gone))
      for (const at of [undefined, state('after the kill').at]) {
        expect(await refused(store, at)).toMatchObject({
          code: 'OUTGROW_WAL_GAP',
          message: expect.stringContaining(gone),
        })
      }
    })

    test('with another key', async () => {
      const key = process.env.OUTGROW_BACKUP_KEY
      process.env.OUTGROW_BACKUP_KEY = randomBytes(32).toString('hex')
      try {
        expect(await refused(archived.store, undefined)).toMatchObject({ code: 'OUTGROW_BACKUP_KEY_WRONG' })
      } finally {
        process.env.OUTGROW_BACKUP_KEY = key
      }
    })

    test('when a flipped bit is in the last segment, where it would end unnoticed', async () => {
      const store = archived.copyOfStore('store with a flipped bit at its end')
      const last = archived.segments(store).at(-1) as string
      archived.flipBit(archived.pathOf(store, last), 100)
      expect(await refused(store, undefined)).toMatchObject({
        code: 'OUTGROW_BACKUP_DAMAGED',
        message: expect.stringContaining(last),
      })
    })
  })

  test('stops at a flipped bit within the WAL, names the object, and leaves no server', async () => {
    const store = archived.copyOfStore('store with a flipped bit')
    const damaged = archived.segments(store).toSorted()[2] as string
    const file = archived.pathOf(store, damaged)
    archived.flipBit(file, Math.floor(statSync(file).size / 2))
    const workDir = archived.newWorkDir('stopped')
    await expect(archived.recover(store, workDir, undefined)).rejects.toMatchObject({
      code: 'OUTGROW_BACKUP_DAMAGED',
      message: expect.stringContaining(damaged),
    })
    expect(archived.hasServer(workDir)).toBe(false)
  })

  /** The part of the check that needs no storage. */
  async function codesOfCheckWithoutStore(): Promise<string[]> {
    const [row] = await archived.query(
      "SELECT last_failed_time > coalesce(last_archived_time, '-infinity') AS failing FROM pg_stat_archiver",
    )
    return row?.failing === true ? ['OUTGROW_ARCHIVE_FAILING'] : []
  }
})
