import { randomBytes } from 'node:crypto'
import {
  closeSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
  writeSync,
} from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { authorityDdl, openSqlite, openSqliteForLock, writeAuthority } from '@outgrow/databases'
import { makeSqlite, temporaryFolder } from '@outgrow/testing'
import { beforeAll, describe, expect, test } from 'vitest'
import { backupStates } from '../src/backup/catalog/backup-states.ts'
import { writeDrill, writeManifest } from '../src/backup/catalog/documents.ts'
import { listBackups } from '../src/backup/catalog/list-backups.ts'
import { newBackupId } from '../src/backup/model/keys.ts'
import type { Manifest } from '../src/backup/model/manifest.ts'
import { runPrune } from '../src/backup/runs/run-prune.ts'
import { planBackup } from '../src/backup/runs/plan-backup.ts'
import { backupKey } from '../src/backup/seal/backup-key.ts'
import { bytesOf, collect } from '../src/backup/seal/sealed-document.ts'
import { FolderStorage } from '../src/backup/storage/folder.ts'
import { makeBackups, key } from './backups.ts'
import { failureOf, flipped } from './bytes.ts'
import { contentsOf } from './random-sqlite.ts'

const schema = 'CREATE TABLE posts (id INTEGER PRIMARY KEY, body TEXT); CREATE INDEX bodies ON posts (body)'

function makePosts(rows = 500): string {
  return makeSqlite(schema, (database) => {
    database.exec(
      `INSERT INTO posts (body) WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ${rows}) SELECT hex(randomblob(60)) FROM n`,
    )
  })
}

const fresh = () => join(temporaryFolder(), 'restored.db')

/** What is beside a path, the path included: the target as it was. */
const filesAround = (path: string) => readdirSync(dirname(path)).toSorted()

test('a backup says what is in it, and restores to the same', async () => {
  const file = makePosts()
  const { backup, restore, storage } = makeBackups()
  const manifest = await backup(`file:${file}`)
  expect(manifest).toMatchObject({ provider: 'sqlite', method: 'file', keyId: key.id, damage: [], notes: [] })
  expect(manifest.tables).toContainEqual(expect.objectContaining({ name: 'posts', rows: 500 }))
  expect(manifest.schema).toContain('CREATE INDEX bodies ON posts (body);')
  const target = fresh()
  expect(await restore(`file:${target}`)).toMatchObject({ target, problems: [], passedOver: [] })
  expect(filesAround(target)).toEqual(['restored.db'])
  expect(contentsOf(target)).toEqual(contentsOf(file))
  expect(await listBackups(storage)).toMatchObject([
    { id: manifest.id, problem: null, lastDrill: null, keyId: key.id },
  ])
})

test('what is stored can be read without the key in its manifest alone, and tells nothing of the rows', async () => {
  const file = makeSqlite("CREATE TABLE secret_name (v); INSERT INTO secret_name VALUES ('secret value')")
  const folder = temporaryFolder()
  const { id } = await makeBackups(new FolderStorage(folder)).backup(`file:${file}`)
  const stored = ['manifest.json', 'database.sqlite']
    .map((name) => readFileSync(join(folder, id, name), 'latin1'))
    .join('')
  expect(stored).toContain(id)
  for (const secret of ['secret_name', 'secret value', 'SQLite format 3', 'CREATE TABLE', basename(file)])
    expect(stored).not.toContain(secret)
})

describe('a stored object', () => {
  const folder = temporaryFolder()
  const backups = makeBackups(new FolderStorage(folder))
  let manifest: Manifest

  beforeAll(async () => {
    manifest = await backups.backup(`file:${makePosts(3000)}`)
  })

  test.each(['manifest.json', 'database.sqlite'])(
    'in which a bit was turned is found and named: %s',
    async (name) => {
      const path = join(folder, manifest.id, name)
      const bytes = readFileSync(path)
      const places = [
        0,
        9,
        60,
        bytes.length - 1,
        ...Array.from({ length: 12 }, () => Math.floor(Math.random() * bytes.length)),
      ]
      for (const at of places) {
        writeFileSync(path, flipped(bytes, at, at % 7))
        const target = fresh()
        const failure = await failureOf(() => backups.restore(`file:${target}`, { id: manifest.id }))
        expect(failure?.code, `byte ${at} of ${name}`).toMatch(/^OUTGROW_BACKUP_/)
        expect(failure?.message).toContain(name === 'manifest.json' ? manifest.id : `${manifest.id}/${name}`)
        expect(filesAround(target)).toEqual([])
      }
      writeFileSync(path, bytes)
      await backups.restore(`file:${fresh()}`)
    },
  )

  test('that is cut off or gone makes the backup one that is not whole: an older one is restored, and said to be', async () => {
    const newer = await backups.backup(`file:${makePosts(10)}`)
    const path = join(folder, newer.id, 'database.sqlite')
    const bytes = readFileSync(path)
    for (const damage of [() => writeFileSync(path, bytes.subarray(0, -1)), () => rmSync(path)]) {
      damage()
      const { manifest: restored, passedOver } = await backups.restore(`file:${fresh()}`)
      expect(restored.id).toBe(manifest.id)
      expect(passedOver).toMatchObject([{ id: newer.id }])
      const failure = await failureOf(() => backups.restore(`file:${fresh()}`, { id: newer.id }))
      expect(failure).toMatchObject({ code: 'OUTGROW_BACKUP_NOT_FOUND' })
      expect((await listBackups(backups.storage))[0]?.problem).toContain('bytes are there')
    }
    const drill = await backups.drill()
    expect(drill).toMatchObject({ id: newer.id, ok: false })
    expect(drill.problems.join()).toContain('database.sqlite')
    expect((await listBackups(backups.storage))[0]?.lastDrill).toMatchObject({ ok: false })
  })
})

test('the objects of one backup do not pass for those of another', async () => {
  const folder = temporaryFolder()
  const backups = makeBackups(new FolderStorage(folder))
  const [one, other] = [
    await backups.backup(`file:${makePosts(50)}`),
    await backups.backup(`file:${makePosts(50)}`),
  ]
  copyFileSync(join(folder, one.id, 'database.sqlite'), join(folder, other.id, 'database.sqlite'))
  expect(await failureOf(() => backups.restore(`file:${fresh()}`, { id: other.id }))).toMatchObject({
    code: expect.stringMatching(/DAMAGED|NOT_FOUND/) as string,
  })
  copyFileSync(join(folder, one.id, 'manifest.json'), join(folder, other.id, 'manifest.json'))
  expect(await failureOf(() => backups.restore(`file:${fresh()}`, { id: other.id }))).toMatchObject({
    code: 'OUTGROW_BACKUP_NOT_FOUND',
  })
})

test('another key, or none, is named before anything is written', async () => {
  const backups = makeBackups()
  const { id } = await backups.backup(`file:${makePosts(5)}`)
  const target = fresh()
  const other = { protection: backupKey(randomBytes(32)) }
  const failure = await failureOf(() => backups.restore(`file:${target}`, other))
  expect(failure).toMatchObject({ code: 'OUTGROW_BACKUP_KEY_WRONG' })
  expect(failure?.message).toContain(key.id)
  expect(await failureOf(() => backups.drill(other))).toMatchObject({ code: 'OUTGROW_BACKUP_KEY_WRONG' })
  expect(filesAround(target)).toEqual([])
  expect((await listBackups(backups.storage))[0]).toMatchObject({ id, lastDrill: null })
  const open = makeBackups()
  await open.backup(`file:${makePosts(5)}`, { protection: 'unencrypted' })
  expect(await failureOf(() => open.restore(`file:${target}`))).toMatchObject({
    code: 'OUTGROW_BACKUP_UNENCRYPTED',
  })
  await open.restore(`file:${target}`, { protection: 'unencrypted' })
})

test('a target that holds anything is refused and stays as it was', async () => {
  const backups = makeBackups()
  await backups.backup(`file:${makePosts(5)}`)
  const [file, withLog, folder] = [fresh(), fresh(), fresh()]
  mkdirSync(folder)
  writeFileSync(file, 'something')
  writeFileSync(`${withLog}-wal`, 'left behind')
  for (const target of [file, withLog, folder]) {
    const before = filesAround(target)
    expect(await failureOf(() => backups.restore(`file:${target}`))).toMatchObject({
      code: 'OUTGROW_RESTORE_NOT_EMPTY',
    })
    expect(filesAround(target)).toEqual(before)
  }
  expect(readFileSync(file, 'utf8')).toBe('something')
  const missing = join(temporaryFolder(), 'no', 'app.db')
  expect(await failureOf(() => backups.restore(`file:${missing}`))).toMatchObject({
    code: 'OUTGROW_URL_INVALID',
  })
})

test('an empty file becomes the database, and one that appears meanwhile is not replaced', async () => {
  const backups = makeBackups()
  const source = makePosts(5)
  await backups.backup(`file:${source}`)
  const empty = fresh()
  writeFileSync(empty, '', { mode: 0o640 })
  await backups.restore(`file:${empty}`)
  expect(contentsOf(empty)).toEqual(contentsOf(source))
  const appearing = fresh()
  const onProgress = (step: string) => step === 'compare' && writeFileSync(appearing, 'somebody else')
  expect(await failureOf(() => backups.restore(`file:${appearing}`, { onProgress }))).toMatchObject({
    code: 'OUTGROW_RESTORE_NOT_EMPTY',
  })
  expect(readFileSync(appearing, 'utf8')).toBe('somebody else')
  expect(filesAround(appearing)).toEqual(['restored.db'])
})

test('the newest of a time or before is restored, and a time before all is refused', async () => {
  const backups = makeBackups()
  const first = await backups.backup(`file:${makePosts(1)}`)
  const second = await backups.backup(`file:${makePosts(2)}`)
  const at = (time: string, ms: number) => new Date(Date.parse(time) + ms)
  const restored = async (time: Date) => (await backups.restore(`file:${fresh()}`, { at: time })).manifest.id
  expect(await restored(at(second.createdAt, 0))).toBe(second.id)
  expect(await restored(at(second.createdAt, -1))).toBe(first.id)
  const failure = await failureOf(() => restored(at(first.createdAt, -1)))
  expect(failure).toMatchObject({ code: 'OUTGROW_BACKUP_NOT_FOUND' })
})

test('a backup of an SQLite file is none of the Postgres that came after it', async () => {
  const { backup, storage } = makeBackups()
  const { id } = await backup(`file:${makePosts(1)}`)
  expect(await backupStates(storage, { provider: 'sqlite' })).toMatchObject({ newest: { id } })
  expect(await backupStates(storage, { provider: 'postgres' })).toMatchObject({ newest: null, drill: null })
})

test.each([
  ['format', (text: string) => text.replace('"version": 1', '"version": 2')],
  ['method', (text: string) => text.replace('"method": "file"', '"method": "pages"')],
  ['kind of database', (text: string) => text.replace('"provider": "sqlite"', '"provider": "mysql"')],
])('a backup of a %s that only a later version knows stays', async (_, changed) => {
  const { backup, storage } = makeBackups()
  const foreign = await backup(`file:${makePosts(1)}`)
  const key = `${foreign.id}/manifest.json`
  const text = (await collect(storage.get(key))).toString()
  expect(changed(text)).not.toBe(text)
  await storage.put(key, bytesOf(changed(text)))
  await backup(`file:${makePosts(1)}`)
  const policy = { keepDaily: 0, keepWeekly: 0, dryRun: false, signal: new AbortController().signal }
  const { keep, remove } = await runPrune({ storage, ...policy })
  expect(remove).toEqual([])
  expect(keep).toContainEqual({ id: foreign.id, reasons: ['another version of Outgrow made it'] })
})

test('backups at the same time, with a prune beside them, do not disturb each other', async () => {
  const backups = makeBackups()
  const file = makePosts(2000)
  const made = await Promise.all(Array.from({ length: 4 }, () => backups.backup(`file:${file}`)))
  const prune = () =>
    runPrune({
      storage: backups.storage,
      keepDaily: 9,
      keepWeekly: 0,
      dryRun: false,
      signal: new AbortController().signal,
    })
  const [another] = await Promise.all([backups.backup(`file:${file}`), prune(), backups.drill()])
  expect(new Set(made.map(({ id }) => id)).size).toBe(4)
  expect((await backups.restore(`file:${fresh()}`, { id: another.id })).manifest.tables).toEqual(
    made[0]?.tables,
  )
  expect(readdirSync(backups.workDir)).toEqual(['.gitignore'])
})

test('a file whose rows are in Postgres by now is refused; one that is about to go there says so', async () => {
  const backups = makeBackups()
  const authority = {
    epoch: 1,
    target: { database: 'shop', schema: 'public', system: null },
    graduation: 'g1',
  }
  const state = (side: 'sqlite' | 'postgres', state: 'following' | 'switched' | 'completed') =>
    makeSqlite(`${schema}; ${authorityDdl.join('; ')}`, (database) =>
      writeAuthority(database, { ...authority, side, state }),
    )
  for (const file of [state('postgres', 'switched'), state('postgres', 'completed')]) {
    const request = { url: `file:${file}`, storage: backups.storage, protection: key }
    for (const refused of [() => backups.backup(`file:${file}`), () => planBackup(request)]) {
      const failure = await failureOf(refused)
      expect(failure).toMatchObject({ code: 'OUTGROW_SOURCE_GRADUATED' })
      expect(failure?.message).toContain('shop')
    }
  }
  const { notes } = await backups.backup(`file:${state('sqlite', 'following')}`)
  expect(notes.join()).toContain('outgrow graduate cancel')
})

test('a damaged file is backed up as what it is: it says so, restores so, and no drill proves it', async () => {
  const backups = makeBackups()
  const file = makePosts(2000)
  const database = openSqlite(file)
  database.pragma('wal_checkpoint(TRUNCATE)')
  const root = database
    .prepare("SELECT rootpage FROM sqlite_schema WHERE name = 'bodies'")
    .pluck()
    .get() as number
  database.close()
  const handle = openSync(file, 'r+')
  writeSync(handle, Buffer.alloc(300, 0), 0, 300, root * 4096 - 300)
  closeSync(handle)
  const manifest = await backups.backup(`file:${file}`)
  expect(manifest.damage.length).toBeGreaterThan(0)
  const { problems } = await backups.restore(`file:${fresh()}`)
  expect(problems).toEqual(manifest.damage)
  expect(await backups.drill()).toMatchObject({ ok: false })
})

test('an empty file is taken for a wrong path, and a file that is no database for what it is', async () => {
  const backups = makeBackups()
  const [empty, text] = [fresh(), fresh()]
  openSqliteForLock(makePosts(1)).close()
  writeFileSync(empty, '')
  writeFileSync(text, 'not a database, but longer than its header would be')
  const codes = await Promise.all(
    [empty, text, fresh()].map(async (file) => (await failureOf(() => backups.backup(`file:${file}`)))?.code),
  )
  expect(codes).toEqual(['OUTGROW_SOURCE_EMPTY', 'OUTGROW_SOURCE_NOT_SQLITE', 'OUTGROW_SOURCE_NOT_FOUND'])
  expect(existsSync(join(backups.storage.description, 'x'))).toBe(false)
  expect(await listBackups(backups.storage)).toEqual([])
})

test('a backup and a drill by a clock that was ahead are as old as the storage says, and not the newest for years', async () => {
  const { backup, drill, storage } = makeBackups()
  const made = await backup(`file:${makePosts(1)}`)
  const proof = await drill()
  const later = new Date(Date.now() + 400 * 86_400_000)
  const ahead = { ...made, id: newBackupId(later), createdAt: later.toISOString() }
  for (const { name } of made.parts)
    await storage.put(`${ahead.id}/${name}`, storage.get(`${made.id}/${name}`))
  await writeManifest(storage, ahead, key)
  await writeDrill(storage, { ...proof, id: ahead.id, at: later.toISOString() }, key)
  const inAnHour = new Date(Date.now() + 3_600_000)
  const { newest, drill: last } = await backupStates(storage, { now: inAnHour })
  expect(newest?.id).toBe(ahead.id)
  expect(newest?.ageSeconds).toBeGreaterThan(3500)
  expect(last?.ageSeconds).toBeGreaterThan(3500)
  const next = await backup(`file:${makePosts(1)}`)
  expect((await backupStates(storage)).newest?.id).toBe(next.id)
})
