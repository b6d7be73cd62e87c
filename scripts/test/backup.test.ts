import { spawn, spawnSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { openSqlite, openSqliteReadonly } from '@outgrow/databases'
import type { BackupSummary, Drill, ListedBackup } from '@outgrow/operations'
import { makeSqlite, temporaryFolder, until } from '@outgrow/testing'
import { outgrow, startOutgrow } from '@outgrow/testing/cli'
import { expect, test } from 'vitest'
import type { DoctorDocument } from '../src/commands/doctor.ts'

const kills = Number(process.env.OUTGROW_KILLS ?? 3)
const key = randomBytes(32).toString('hex')
const env = { OUTGROW_BACKUP_KEY: key, OUTGROW_BACKUP_TO: '' }

function makePosts(rows: number): string {
  return makeSqlite('CREATE TABLE posts (id INTEGER PRIMARY KEY, body TEXT)', (database) => {
    database.exec(
      `INSERT INTO posts (body) WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ${rows}) SELECT hex(randomblob(100)) FROM n`,
    )
  })
}

function rowsOf(file: string): unknown[] {
  const database = openSqliteReadonly(file)
  try {
    return database.prepare('SELECT count(*), min(body), max(body), sum(length(body)) FROM posts').raw().all()
  } finally {
    database.close()
  }
}

/** Everything below a folder, by its name. */
const namesBelow = (folder: string) =>
  existsSync(folder)
    ? readdirSync(folder, { recursive: true, withFileTypes: true })
        .filter((entry) => entry.isFile())
        .map(({ name }) => name)
    : []

test('from the command line a backup is made, listed, tried, restored and pruned', async () => {
  const file = makePosts(100)
  const folder = temporaryFolder()
  const to = join(folder, 'backups')
  const planned = await outgrow<{ plan: object }>(
    ['backup', '--database', `file:${file}`, '--to', to, '--dry-run'],
    env,
    folder,
  )
  expect([planned.code, planned.document.plan]).toMatchObject([
    0,
    { provider: 'sqlite', location: to, database: file },
  ])
  expect(namesBelow(folder)).toEqual([])

  const made = await outgrow<{ backup: BackupSummary }>(
    ['backup', '--database', `file:${file}`, '--to', to],
    env,
    folder,
  )
  expect(made.code).toBe(0)
  const { id, keyId, tables } = made.document.backup
  expect(tables).toContainEqual({ table: 'posts', rows: 100 })
  const listed = await outgrow<{ backups: ListedBackup[] }>(
    ['backup', 'list', '--from', to],
    { OUTGROW_BACKUP_KEY: '' },
    folder,
  )
  expect(listed.document.backups).toMatchObject([{ id, keyId, problem: null, lastDrill: null }])

  const environment = { ...env, OUTGROW_BACKUP_TO: to }
  const drilled = await outgrow<{ drill: Drill }>(['backup', 'drill'], environment, folder)
  expect([drilled.code, drilled.document.drill]).toMatchObject([0, { id, ok: true, problems: [] }])
  const restored = await outgrow(
    ['restore', '--from', `${to}/${id}`, '--to', 'file:restored.db'],
    env,
    folder,
  )
  expect(restored.code).toBe(0)
  expect(rowsOf(join(folder, 'restored.db'))).toEqual(rowsOf(file))
  const again = await outgrow(['restore', '--to', 'file:restored.db'], environment, folder)
  expect([again.code, again.document.error?.code]).toEqual([2, 'OUTGROW_RESTORE_NOT_EMPTY'])
  const pruned = await outgrow<{ keep: { id: string; reasons: string[] }[] }>(
    ['backup', 'prune', '--keep-daily', '0', '--keep-weekly', '0'],
    environment,
    folder,
  )
  expect(pruned.document.keep).toEqual([
    { id, reasons: ['the newest', 'the newest that a drill has proved'] },
  ])
  expect(readdirSync(join(folder, '.outgrow'))).toEqual(['.gitignore'])
})

test('where a configuration says where backups are, nobody has to', async () => {
  const folder = temporaryFolder()
  writeFileSync(join(folder, 'outgrow.config.mjs'), "export default { backup: { to: 'kept' } }")
  const made = await outgrow(['backup', '--database', `file:${makePosts(1)}`], { ...env }, folder)
  expect(made.code).toBe(0)
  expect(namesBelow(join(folder, 'kept'))).toContain('manifest.json')
})

test('doctor judges the backups of the database that it looks at', async () => {
  const folder = temporaryFolder()
  const file = makePosts(10)
  mkdirSync(join(folder, 'b'))
  const doctor = async (to: string) => {
    const args = ['doctor', '--database', `file:${file}`, '--window', '0.2']
    const { code, document } = await outgrow<DoctorDocument>(args, { ...env, OUTGROW_BACKUP_TO: to }, folder)
    const levels = document.examination?.signs.map(({ name, level }) => [name, level]) ?? []
    return { code, ...(Object.fromEntries(levels) as Record<string, string>) }
  }
  expect(await doctor('')).toMatchObject({ code: 0, backup: 'unknown', drill: 'unknown' })
  expect(await doctor('b')).toMatchObject({ code: 4, backup: 'plan', drill: 'plan' })
  expect(await doctor('away/b')).toMatchObject({ code: 4, backup: 'plan', drill: 'unknown' })
  expect((await outgrow(['backup', '--database', `file:${file}`, '--to', 'b'], env, folder)).code).toBe(0)
  expect(await doctor('b')).toMatchObject({ code: 4, backup: 'fine', drill: 'plan' })
  expect((await outgrow(['backup', 'drill', '--from', 'b'], env, folder)).code).toBe(0)
  expect(await doctor('b')).toMatchObject({ code: 0, backup: 'fine', drill: 'fine' })
})

test.each([
  [['backup'], {}, 'OUTGROW_BACKUP_KEY_MISSING'],
  [['backup'], { OUTGROW_BACKUP_KEY: 'hunter2' }, 'OUTGROW_BACKUP_KEY_INVALID'],
  [['backup', '--unencrypted'], {}, 'OUTGROW_OPTION_INVALID'],
  [['backup', 'list'], {}, 'OUTGROW_OPTION_INVALID'],
  [['backup', 'list', '--from', 'nowhere'], {}, 'OUTGROW_STORAGE_UNAVAILABLE'],
  [['backup', 'prune', '--from', '.', '--keep-daily', '-1'], {}, 'OUTGROW_OPTION_INVALID'],
  [['restore', '--from', '.', '--unencrypted', '--to', 'file:x.db'], {}, 'OUTGROW_BACKUP_NOT_FOUND'],
  [
    ['restore', '--from', '.', '--unencrypted', '--to', 'file:x.db', '--at', 'yesterday'],
    {},
    'OUTGROW_OPTION_INVALID',
  ],
  [['backup', 'drill', '--from', '.', '--unencrypted'], {}, 'OUTGROW_BACKUP_NOT_FOUND'],
])('%j is refused (%j): %s', async (args, more, code) => {
  const database = ['--database', `file:${makePosts(1)}`]
  const { code: status, document } = await outgrow(
    [...args, ...(args.length === 1 || args[1] === '--unencrypted' ? database : [])],
    { OUTGROW_BACKUP_KEY: '', OUTGROW_BACKUP_TO: '', ...more },
    temporaryFolder(),
  )
  expect([status, document.error?.code]).toEqual([2, code])
})

test.each([
  ['base', '--dry-run'],
  ['drill', '--dry-run'],
  ['drill', '--to=b'],
  ['list', '--work-dir=w'],
  ['prune', '--database=file:x.db'],
])('backup %s refuses %s, which it would not heed', async (command, option) => {
  const folder = temporaryFolder()
  for (const args of [
    ['backup', command, option],
    ['backup', option, command],
  ]) {
    const { code, document } = await outgrow(args, { ...env, OUTGROW_BACKUP_TO: 'b' }, folder)
    expect([code, document.error?.code]).toEqual([2, 'OUTGROW_OPTION_INVALID'])
    expect(document.error?.message).toContain(option.replace(/=.*/, ''))
  }
  expect(readdirSync(folder)).toEqual([])
})

test('a dry run of a schedule says what is due, and ends', async () => {
  const folder = temporaryFolder()
  mkdirSync(join(folder, 'b'))
  const database = `--database=file:${makePosts(1)}`
  const due = async (...more: string[]) => {
    const args = ['backup', 'schedule', database, '--to', 'b', '--dry-run', ...more]
    return (await outgrow<{ due: object }>(args, env, folder)).document.due
  }
  expect(await due()).toEqual({ is: 'backup' })
  expect(namesBelow(folder)).toEqual([])
  expect((await outgrow(['backup', database, '--to', 'b'], env, folder)).code).toBe(0)
  expect(await due()).toEqual({ is: 'drill' })
  expect(await due('--drill-every', 'never')).toMatchObject({ is: 'wait' })
})

test.each([
  ['', 'is empty'],
  [' ', 'is empty'],
  ['./restored.db', 'file:./restored.db'],
  ['restored.sqlite3', 'file:restored.sqlite3'],
  ['notes', 'file:notes'],
  ["'postgresql://u:hunter2@localhost:1/db", 'neither a URL'],
  ['\u201cpostgresql://u:hunter2@localhost:1/db\u201d', 'neither a URL'],
])('a restore to %j is refused, and makes no folder', async (to, said) => {
  const folder = temporaryFolder()
  mkdirSync(join(folder, 'b'))
  writeFileSync(join(folder, 'notes'), '')
  const { code, document } = await outgrow(['restore', '--from', 'b', '--to', to], env, folder)
  expect([code, document.error?.code]).toEqual([2, 'OUTGROW_OPTION_INVALID'])
  expect(`${document.error?.message} ${document.error?.fix}`).toContain(said)
  expect(JSON.stringify(document)).not.toContain('hunter2')
  expect(readdirSync(folder)).toEqual(['b', 'notes'])
})

test('a URL in quotes is one, and no work folder is made where there is no base backup', async () => {
  const folder = temporaryFolder()
  const from = ['restore', '--from', 'b', '--to']
  expect((await outgrow(['backup', `--database=file:${makePosts(1)}`, '--to', 'b'], env, folder)).code).toBe(
    0,
  )
  const refused = await outgrow([...from, 'restored'], env, folder)
  expect(refused.document.error).toMatchObject({
    code: 'OUTGROW_BACKUP_NOT_FOUND',
    fix: expect.stringContaining('file:'),
  })
  const unreachable = await outgrow([...from, "'postgresql://u:hunter2@127.0.0.1:1/db'"], env, folder)
  expect(unreachable.code).toBe(2)
  expect(JSON.stringify(unreachable.document)).not.toContain('hunter2')
  expect(readdirSync(folder).toSorted()).toEqual(['.outgrow', 'b'])
  expect((await outgrow([...from, "'file:restored.db' "], env, folder)).code).toBe(0)
})

test('a backup whose rows are not what they were ends with 4, and leaves nothing', async () => {
  const folder = temporaryFolder()
  await outgrow(['backup', '--database', `file:${makePosts(100)}`, '--to', 'b'], env, folder)
  const path = join(folder, 'b', readdirSync(join(folder, 'b'))[0] as string, 'database.sqlite')
  const bytes = readFileSync(path)
  bytes[bytes.length >> 1] = (bytes[bytes.length >> 1] as number) ^ 1
  writeFileSync(path, bytes)
  const drilled = await outgrow<{ drill: Drill }>(['backup', 'drill', '--from', 'b'], env, folder)
  expect([drilled.code, drilled.document.drill.ok]).toEqual([4, false])
  const restored = await outgrow(['restore', '--from', 'b', '--to', 'file:restored.db'], env, folder)
  expect([restored.code, restored.document.error?.code]).toEqual([2, 'OUTGROW_BACKUP_DAMAGED'])
  expect(readdirSync(folder).toSorted()).toEqual(['.outgrow', 'b'])
})

/** What a run has put into the work folder; a folder that was just being made stays for a minute, without any. */
const rowsLeft = (folder: string) => {
  const work = join(folder, '.outgrow')
  return readdirSync(work)
    .filter((name) => name.startsWith('backup-'))
    .flatMap((name) => {
      try {
        return readdirSync(join(work, name), { recursive: true, encoding: 'utf8' }).map((file) =>
          join(name, file),
        )
      } catch (error) {
        // It is just being removed.
        if ((error as NodeJS.ErrnoException).code === 'ENOENT') return []
        throw error
      }
    })
    .filter((path) => !path.endsWith('/owner.lock'))
}

test(`killed ${kills} times at any moment, a backup leaves nothing that looks like one, and the next removes what it left`, async () => {
  const file = makePosts(30_000)
  const folder = temporaryFolder()
  const args = ['backup', '--database', `file:${file}`, '--to', 'b']
  const begun = performance.now()
  expect((await outgrow(args, env, folder)).code).toBe(0)
  const wholeMs = performance.now() - begun
  const before = rowsOf(file)
  for (let at = 0; at < kills; at++) {
    const { child, ended } = startOutgrow(args, env, folder)
    // The first kill comes once there is something to leave.
    if (at === 0) await Promise.race([ended, until(() => rowsLeft(folder).length > 0)])
    else await Promise.race([ended, sleep(Math.random() * wholeMs)])
    child.kill('SIGKILL')
    await ended
  }
  const listed = await outgrow<{ backups: ListedBackup[] }>(['backup', 'list', '--from', 'b'], env, folder)
  expect(listed.code).toBe(0)
  const drilling = startOutgrow(['backup', 'drill', '--from', 'b'], env, folder)
  await until(() => rowsLeft(folder).some((name) => name.startsWith(`backup-${drilling.child.pid}-`)))
  drilling.child.kill('SIGKILL')
  await drilling.ended
  expect(rowsLeft(folder)).not.toEqual([])
  expect((await outgrow(args, env, folder)).code).toBe(0)
  expect(rowsLeft(folder)).toEqual([])
  expect((await outgrow(['backup', 'drill', '--from', 'b'], env, folder)).code).toBe(0)
  expect(rowsOf(file)).toEqual(before)
  expect(openSqlite(file).pragma('integrity_check', { simple: true })).toBe('ok')
})

test('stopped by Ctrl-C, a backup and a restore leave nothing', async () => {
  const file = makePosts(60_000)
  const folder = temporaryFolder()
  expect((await outgrow(['backup', '--database', `file:${file}`, '--to', 'b'], env, folder)).code).toBe(0)
  const kept = namesBelow(join(folder, 'b'))
  const backing = startOutgrow(['backup', '--database', `file:${file}`, '--to', 'b'], env, folder)
  await until(() => readdirSync(join(folder, '.outgrow')).some((name) => name.startsWith('backup-')))
  backing.child.kill('SIGINT')
  const backed = await backing.ended
  expect([backed.code, backed.document.error?.code]).toEqual([3, 'OUTGROW_STOPPED'])
  expect(namesBelow(join(folder, 'b'))).toEqual(kept)
  const restoring = startOutgrow(['restore', '--from', 'b', '--to', 'file:restored.db'], env, folder)
  await until(() => readdirSync(folder).some((name) => name.endsWith('.restoring')))
  restoring.child.kill('SIGINT')
  const restored = await restoring.ended
  expect([restored.code, restored.document.error?.code]).toEqual([3, 'OUTGROW_STOPPED'])
  expect(readdirSync(folder).toSorted()).toEqual(['.outgrow', 'b'])
  expect(readdirSync(join(folder, '.outgrow'))).toEqual(['.gitignore'])
})

test('a restore that was killed left its target alone, and the next removes what it left beside', async () => {
  const file = makePosts(60_000)
  const folder = temporaryFolder()
  expect((await outgrow(['backup', '--database', `file:${file}`, '--to', 'b'], env, folder)).code).toBe(0)
  const args = ['restore', '--from', 'b', '--to', 'file:restored.db']
  const { child, ended } = startOutgrow(args, env, folder)
  const left = () => readdirSync(folder).filter((name) => name.endsWith('.restoring'))
  await until(() => left().some((name) => existsSync(join(folder, name, 'database.sqlite'))))
  child.kill('SIGKILL')
  await ended
  expect(left()).toHaveLength(1)
  expect(existsSync(join(folder, 'restored.db'))).toBe(false)
  expect((await outgrow(args, env, folder)).code).toBe(0)
  expect(readdirSync(folder).toSorted()).toEqual(['.outgrow', 'b', 'restored.db'])
  expect(rowsOf(join(folder, 'restored.db'))).toEqual(rowsOf(file))
})

/** Runs `use` in a file system of three megabytes, which only root can make; undefined where nobody may. */
async function onSmallDisk(use: (disk: string) => Promise<void>): Promise<boolean> {
  const disk = join(temporaryFolder(), 'disk')
  mkdirSync(disk)
  if (spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=3m', 'tmpfs', disk]).status !== 0) return false
  try {
    await use(disk)
  } finally {
    spawnSync('umount', ['--lazy', disk])
  }
  return true
}

const mayMount = await onSmallDisk(() => Promise.resolve())

test.skipIf(!mayMount)('a full disk is named, whichever it is, and keeps nothing', async () => {
  const folder = temporaryFolder()
  const file = makePosts(30_000)
  const backup = ['backup', '--database', `file:${file}`]
  await onSmallDisk(async (disk) => {
    const left = () => namesBelow(disk).filter((name) => name !== '.gitignore')
    const stored = await outgrow([...backup, '--to', disk], env, folder)
    expect([stored.code, stored.document.error?.code]).toEqual([2, 'OUTGROW_STORAGE_FULL'])
    expect(left()).toEqual([])
    const copied = await outgrow([...backup, '--to', 'b', '--work-dir', join(disk, 'work')], env, folder)
    expect([copied.code, copied.document.error?.code]).toEqual([2, 'OUTGROW_DISK_FULL'])
    expect(left()).toEqual([])
    expect((await outgrow([...backup, '--to', 'b'], env, folder)).code).toBe(0)
    const restored = await outgrow(
      ['restore', '--from', 'b', '--to', `file:${disk}/restored.db`],
      env,
      folder,
    )
    expect([restored.code, restored.document.error?.code]).toEqual([2, 'OUTGROW_DISK_FULL'])
    expect(left()).toEqual([])
  })
})

const isRoot = process.getuid?.() === 0

test.skipIf(!isRoot)('a folder of another user is named, and stays as it was', async () => {
  const folder = temporaryFolder()
  const to = join(folder, 'theirs')
  mkdirSync(to, { mode: 0o700 })
  const url = new URL('../../packages/operations/src/index.ts', import.meta.url).href
  const script = `process.setgid(65534); process.setuid(65534)
    const { openStorage } = await import(${JSON.stringify(url)})
    const storage = await openStorage(${JSON.stringify(to)})
    await storage.prepare().catch(({ code, message }) => console.log(code, message))`
  const { promise, resolve } = Promise.withResolvers<string>()
  const child = spawn(process.execPath, ['--input-type=module', '-e', script], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  let printed = ''
  child.stdout.on('data', (text: Buffer) => (printed += text.toString())).on('close', () => resolve(printed))
  expect(await promise).toMatch(/^OUTGROW_STORAGE_DENIED .*theirs/)
  expect(readdirSync(to)).toEqual([])
})
