import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import { makeDatabase, makeSqlite, temporaryFolder } from '@outgrow/testing'
import { outgrow } from '@outgrow/testing/cli'
import { expect, inject, test } from 'vitest'

interface Made {
  backup: { provider: string } | null
  error: { code: string } | null
}

test('once a file has graduated, the Postgres that its rows are in is backed up', async () => {
  const folder = temporaryFolder()
  const file = makeSqlite('CREATE TABLE t (id INTEGER PRIMARY KEY); INSERT INTO t VALUES (1)', (database) =>
    database.pragma('journal_mode = WAL'),
  )
  const { url } = await makeDatabase(inject('postgresUrl'))
  const other = await makeDatabase(inject('postgresUrl'))
  const env = {
    DATABASE_URL: `file:${file}`,
    OUTGROW_BACKUP_KEY: randomBytes(32).toString('hex'),
    OUTGROW_BACKUP_TO: join(folder, 'backups'),
    DIRECT_URL: '',
  }
  const backUp = (postgresUrl: string) =>
    outgrow<Made>(['backup'], { ...env, POSTGRES_URL: postgresUrl }, folder)

  expect((await backUp(url)).document.backup?.provider).toBe('sqlite')
  const graduate = ['graduate', '--from', file, '--to', url, '--schema', 'introspect', '--cutover', 'auto']
  expect((await outgrow([...graduate, '--budget-ms', '60000'], env, folder)).code).toBe(0)
  expect((await backUp(url)).document).toMatchObject({ backup: { provider: 'postgres' }, error: null })
  for (const elsewhere of ['', other.url]) {
    const { code, document } = await backUp(elsewhere)
    expect([code, document.error?.code]).toEqual([2, 'OUTGROW_SOURCE_GRADUATED'])
  }
})
