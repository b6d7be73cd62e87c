import { dirname } from 'node:path'
import { openSqlite, openSqliteReadonly, withPostgres } from '@outgrow/databases'
import type { GraduationReport } from '@outgrow/graduate'
import { makeDatabase } from '@outgrow/testing'
import { makeShop, outgrow } from '@outgrow/testing/cli'
import { expect, inject, test } from 'vitest'

/** A shop whose file can be graduated, and the command that does it. */
async function shop() {
  const { file, schema } = makeShop(500)
  const database = openSqlite(file)
  database.close()
  const { url } = await makeDatabase(inject('postgresUrl'))
  const ends = ['--from', file, '--to', url, '--work-dir', dirname(file)]
  return {
    file,
    url,
    graduate: (dieAt?: string) =>
      outgrow<GraduationReport>(
        ['graduate', ...ends, '--schema', schema, '--cutover', 'auto', '--budget-ms', '60000'],
        dieAt === undefined ? {} : { OUTGROW_DIE_AT: dieAt },
      ),
    cancel: () => outgrow<GraduationReport>(['graduate', 'cancel', ...ends]),
    run: (command: string, dieAt?: string) =>
      outgrow<GraduationReport>(
        ['graduate', command, ...ends, ...(command === 'rollback' ? ['--budget-ms', '60000'] : [])],
        dieAt === undefined ? {} : { OUTGROW_DIE_AT: dieAt },
      ),
  }
}

/** Names in a target that a graduation or the application's schema has put there. */
const namesIn = (url: string) =>
  withPostgres(url, async (client) => {
    const { rows } = await client.query<{ name: string }>(
      `SELECT relname AS name FROM pg_class c WHERE relnamespace NOT IN ('pg_catalog'::regnamespace, 'information_schema'::regnamespace, 'pg_toast'::regnamespace)
       UNION ALL SELECT proname FROM pg_proc WHERE pronamespace = 'public'::regnamespace`,
    )
    return rows.map(({ name }) => name)
  })

test.each([
  ['staged', 'before the file knows of it'],
  ['file-copied', 'before anything is loaded'],
  ['recorded', 'between the record in the target and that in the file'],
  ['between-commits', 'between the commits of the switch'],
  ['after-commit', 'before the foreign keys are checked'],
])('a graduation that dies at %s, %s, goes on to its end', async (point) => {
  const { url, graduate } = await shop()
  expect((await graduate(point)).code).toBe(null)
  const { code, document } = await graduate()
  expect({ code, state: document.state, findings: document.findings }).toEqual({
    code: 0,
    state: 'switched',
    findings: [],
  })
  const keys = await withPostgres(url, (client) =>
    client.query("SELECT convalidated AS checked FROM pg_constraint WHERE contype = 'f'"),
  )
  expect(keys.rows).toEqual([{ checked: true }])
  expect((await namesIn(url)).filter((name) => name.startsWith('_outgrow_capture'))).toEqual([])
})

test('a graduation that dies between the commits of its switch can be cancelled, and begun again', async () => {
  const { file, url, graduate, cancel } = await shop()
  const schemaOf = () => {
    const database = openSqliteReadonly(file)
    const rows = database.prepare('SELECT * FROM sqlite_schema').all()
    database.close()
    return rows
  }
  const before = schemaOf()
  expect((await graduate('between-commits')).code).toBe(null)
  expect((await cancel()).code).toBe(0)
  expect(await namesIn(url)).toEqual([])
  expect(schemaOf()).toEqual(before)
  expect((await graduate()).document.state).toBe('switched')
})

test('a way back that dies between its commits is finished by the same command', async () => {
  const { graduate, run } = await shop()
  expect((await graduate()).document.state).toBe('switched')
  expect((await run('rollback', 'back-between-commits')).code).toBe(null)
  const { code, document } = await run('rollback')
  expect({ code, state: document.state, notes: document.notes }).toEqual({
    code: 0,
    state: 'following',
    notes: ['A way back that had been cut off was finished: the rows are in the SQLite file.'],
  })
  expect((await run('rollback')).document.error?.code).toBe('OUTGROW_NOT_SWITCHED')
  expect((await graduate()).document.state).toBe('switched')
})

test.each(['archived', 'authority-completed', 'tombstone-placed'])(
  'a completion that dies at %s goes on to its end, and nothing goes back from there',
  async (point) => {
    const { url, graduate, run } = await shop()
    expect((await graduate()).document.state).toBe('switched')
    expect((await run('complete', point)).code).toBe(null)
    const completed = await run('complete')
    expect({ code: completed.code, state: completed.document.state }).toEqual({ code: 0, state: 'completed' })
    expect((await namesIn(url)).filter((name) => /_outgrow_(live|back|capture)/.test(name))).toEqual([])
    for (const command of ['rollback', 'cutover', 'complete', 'cancel']) {
      const { code, document } = await run(command)
      expect({ command, code, error: document.error?.code }).toEqual({
        command,
        code: 2,
        error: 'OUTGROW_GRADUATION_SWITCHED',
      })
    }
    expect((await graduate()).document).toMatchObject({ ok: true, state: 'completed' })
  },
)
