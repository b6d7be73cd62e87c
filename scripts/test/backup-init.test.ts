import { randomBytes } from 'node:crypto'
import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { temporaryFolder } from '@outgrow/testing'
import { outgrow } from '@outgrow/testing/cli'
import { expect, inject, test } from 'vitest'
import type { InitDocument } from '../src/render/backup-init.ts'

const key = randomBytes(32).toString('hex')
const init = (args: string[], env: NodeJS.ProcessEnv = { OUTGROW_BACKUP_KEY: key }) => {
  const cwd = temporaryFolder()
  return outgrow<InitDocument>(['backup', 'init', ...args], env, cwd).then((ran) => ({ ...ran, cwd }))
}

test('the files for an own server are written once they were shown, and never over those of others', async () => {
  const args = ['--database', inject('postgresUrl'), '--to', '/mnt/backups']
  const dry = await init([...args, '--dry-run'])
  expect([dry.code, dry.document.server, dry.document.restart]).toEqual([0, 'own', ['archive_mode']])
  expect(existsSync(join(dry.cwd, 'pgbackrest'))).toBe(false)

  const folder = join(temporaryFolder(), 'files')
  const written = await init([...args, '--dir', folder])
  expect(written.code).toBe(0)
  expect(readdirSync(folder).toSorted()).toEqual(
    dry.document.files.map((file) => file.replace('pgbackrest/', '')).toSorted(),
  )
  expect(statSync(join(folder, 'pgbackrest.conf')).mode & 0o777).toBe(0o640)
  expect(written.stdout + written.stderr).not.toContain(key)
  expect((await init([...args, '--dir', folder])).code).toBe(0)

  const otherKey = await init([...args, '--dir', folder], {
    OUTGROW_BACKUP_KEY: randomBytes(32).toString('hex'),
  })
  expect([otherKey.code, otherKey.document.error?.code]).toEqual([2, 'OUTGROW_BACKUP_KEY_CHANGED'])
  writeFileSync(join(folder, 'server.sql'), '-- somebody else’s')
  const over = await init([...args, '--dir', folder])
  expect([over.code, over.document.error?.code]).toEqual([2, 'OUTGROW_BACKUP_FILE_THERE'])
  expect(readFileSync(join(folder, 'server.sql'), 'utf8')).toBe('-- somebody else’s')
})

test('a check ends with 4 and the fix of each finding', async () => {
  const { code, document } = await init(['--database', inject('postgresUrl'), '--check'])
  expect(code).toBe(4)
  const found = document.findings.find((one) => one.code === 'OUTGROW_ARCHIVE_OFF')
  expect(found?.fix).toContain('server.sql')
})

test.each([
  [['--database', 'POSTGRES', '--to', '/mnt/backups', '--stanza', "x'; rm -rf /"], 'OUTGROW_OPTION_INVALID'],
  [
    ['--database', 'POSTGRES', '--to', '/mnt/backups', '--config-path', '/etc/a b.conf'],
    'OUTGROW_OPTION_INVALID',
  ],
  [['--database', 'POSTGRES', '--to', '/mnt/back\nups'], 'OUTGROW_OPTION_INVALID'],
  [['--database', 'POSTGRES', '--to', 's3://bucket/app'], 'OUTGROW_OPTION_INVALID'],
  [['--database', 'POSTGRES'], 'OUTGROW_OPTION_INVALID'],
  [
    [
      '--database',
      'postgresql://u:p@db.abcdefghijklmnopqrst.supabase.co:5432/postgres',
      '--to',
      '/mnt/backups',
    ],
    'OUTGROW_BACKUP_MANAGED',
  ],
  [
    ['--database', 'postgresql://u:p@db.abcdefghijklmnopqrst.supabase.co:5432/postgres', '--check'],
    'OUTGROW_BACKUP_MANAGED',
  ],
  [['--to', '/mnt/backups'], 'OUTGROW_ARCHIVE_NO_SERVER'],
  [['--check'], 'OUTGROW_ARCHIVE_NO_SERVER'],
])('%j is refused with %s, and nothing is written', async (args, expected) => {
  const given = args.map((arg) => (arg === 'POSTGRES' ? inject('postgresUrl') : arg))
  const { code, document, cwd } = await init(given, { OUTGROW_BACKUP_KEY: key, AWS_REGION: '' })
  expect([code, document.error?.code]).toEqual([2, expected])
  expect(readdirSync(cwd).filter((name) => name !== '.outgrow')).toEqual([])
})

test('without a key nothing is set up', async () => {
  for (const args of [['--database', inject('postgresUrl')], []]) {
    const { code, document } = await init([...args, '--to', '/mnt/backups'], { OUTGROW_BACKUP_KEY: '' })
    expect(code).toBe(2)
    expect(document.error?.code).toMatch(/^OUTGROW_(BACKUP_KEY_MISSING|ARCHIVE_NO_SERVER)$/)
  }
})

test('a base backup needs an archive', async () => {
  const { code, document } = await outgrow(['backup', 'base'], {}, temporaryFolder())
  expect([code, document.error?.code]).toEqual([2, 'OUTGROW_ARCHIVE_NOT_SET_UP'])
})
