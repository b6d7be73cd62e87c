import { randomBytes } from 'node:crypto'
import { readdirSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { withPostgres } from '@outgrow/databases'
import type { Sign } from '@outgrow/signs'
import { makeProductDatabase } from '@outgrow/testing'
import { expect, inject, test } from 'vitest'
import type { DoctorDocument } from 'outgrow/commands/doctor'
import type { LoadDocument } from '../load/run-load.ts'
import { makeShop, outgrow, repository } from '@outgrow/testing/cli'

const signOf = ({ document }: { document: LoadDocument }, name: string): Sign | undefined =>
  document.examination?.signs.find((sign) => sign.name === name)

/** A work folder of its own, so that no run sees another's signs. */
async function strain(scenario: string, more: string[] = []) {
  const { file } = makeShop(10)
  const folder = dirname(file)
  const ran = await repository<LoadDocument>([
    'load',
    '--scenario',
    scenario,
    '--doctor',
    '--work-dir',
    folder,
    ...more,
  ])
  expect([ran.code, ran.stderr]).toEqual([4, expect.stringContaining('Verdict')])
  expect(readdirSync(join(folder, 'load'))).toEqual([])
  return ran
}

test('doctor is quiet about a healthy file of any application', async () => {
  const { file } = makeShop(1000)
  const args = ['doctor', '--database', `file:${file}`, '--window', '1', '--work-dir', dirname(file)]
  const { code, document } = await outgrow<DoctorDocument>(args)
  expect([code, document.examination?.verdict, document.examination?.reasons]).toEqual([0, 'fine', []])
})

test('doctor finds writers that wait for each other, on a copy of any application’s file', async () => {
  const { file } = makeShop(1000)
  const ran = await strain('concurrent-writers', ['--from', file])
  expect(['plan', 'graduate']).toContain(signOf(ran, 'write-duty')?.level)
  expect(signOf(ran, 'lock-wait')?.level).not.toBe('fine')
  expect(signOf(ran, 'busy-errors')?.text).toContain('SQLITE_BUSY')
  expect(['plan', 'graduate']).toContain(ran.document.examination?.verdict)
})

test('doctor finds a checkpoint that starves, without one busy error', async () => {
  const ran = await strain('long-reader')
  expect(['watch', 'plan']).toContain(signOf(ran, 'checkpoint-lag')?.level)
  expect(signOf(ran, 'checkpoint-lag')?.text).toContain('none were checkpointed meanwhile')
  const named = /process \d+ reads an old state/.test(signOf(ran, 'checkpoint-lag')?.text ?? '')
  expect(named).toBe(process.platform === 'linux')
  expect(signOf(ran, 'busy-errors')).toMatchObject({ level: 'fine', value: 0 })
})

test('doctor finds webhooks that collide', async () => {
  const ran = await strain('checkout-burst')
  expect(signOf(ran, 'webhooks')?.level).not.toBe('fine')
})

test('a load that cannot begin leaves nothing behind, and ends', async () => {
  const { file } = makeShop(10)
  const folder = dirname(file)
  const args = ['load', '--scenario', 'checkout-burst', '--from', file, '--work-dir', folder]
  const { code, document } = await repository<LoadDocument>(args)
  expect([code, document.error?.code]).toEqual([2, 'OUTGROW_TABLES_MISSING'])
  expect(readdirSync(join(folder, 'load'))).toEqual([])
})

test('a role that may only watch is told what it may not count, and the look goes on', async () => {
  const { url, drop } = await makeProductDatabase('postgres', inject('postgresUrl'))
  const role = `watcher_${randomBytes(4).toString('hex')}`
  await withPostgres(url, (client) =>
    client.query(`CREATE ROLE ${role} LOGIN PASSWORD 'watch'; GRANT pg_monitor TO ${role}`),
  )
  const watching = new URL(url)
  watching.username = role
  watching.password = 'watch'
  const folder = dirname(makeShop(1).file)
  const args = ['doctor', '--database', watching.href, '--window', '0.5', '--work-dir', folder]
  const { code, document, stdout } = await outgrow<DoctorDocument>(args)
  expect([code, document.error]).toEqual([4, null]) // the test server's zone is not UTC
  expect(document.examination?.reasons).toEqual(['time-zone'])
  const webhooks = document.examination?.signs.find(({ name }) => name === 'webhooks')
  expect([webhooks?.value, webhooks?.text]).toEqual([null, expect.stringContaining('not counted')])
  expect(stdout).not.toContain('watch@')
  await drop()
  await withPostgres(inject('postgresUrl'), (client) => client.query(`DROP ROLE ${role}`))
})
