import { openSqlite, withPostgres } from '@outgrow/databases'
import { makeProductDatabase, temporaryFolder } from '@outgrow/testing'
import { repository } from '@outgrow/testing/cli'
import { freePorts } from '@outgrow/testing/ports'
import { expect, inject, test } from 'vitest'

test('dev refuses another machine’s database and live events, and leaves both as they were', async () => {
  const folder = temporaryFolder()
  const port = await freePorts()
  const dev = (database: string, env: NodeJS.ProcessEnv = {}) =>
    repository(['dev', '--port', String(port), '--work-dir', folder, '--database', database], env, folder)
  const remote = await dev('postgresql://u:secret@db.example.com/app')
  expect([remote.code, remote.document.error?.code]).toEqual([2, 'OUTGROW_DEV_DATABASE'])
  expect(remote.stdout + remote.stderr).not.toContain('secret')
  const leads = await dev(`file:${folder}/app.db`, {
    POSTGRES_URL: 'postgresql://u:secret@db.example.com/app',
  })
  expect([leads.code, leads.document.error?.code, leads.document.error?.fix]).toEqual([
    2,
    'OUTGROW_DEV_DATABASE',
    expect.stringContaining('POSTGRES_URL'),
  ])
  for (const provider of ['sqlite', 'postgres'] as const) {
    const made = await makeProductDatabase(provider, inject('postgresUrl'))
    const live = `INSERT INTO webhook_events (stripe_event_id, type, payload, object_id, livemode) VALUES ('evt_1', 'invoice.paid', '{}', 'in_1', true)`
    if (provider === 'sqlite') {
      const file = openSqlite(made.url.replace('file:', ''))
      file.exec(live)
      file.close()
    } else await withPostgres(made.url, (client) => client.query(live))
    const refused = await dev(made.url)
    expect([refused.code, refused.document.error?.message]).toEqual([
      2,
      expect.stringContaining('live events'),
    ])
    await made.drop()
  }
})
