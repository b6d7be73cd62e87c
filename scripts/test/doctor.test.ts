import { readdirSync } from 'node:fs'
import { dirname, join } from 'node:path'
import type { Sign } from '@outgrow/signs'
import { expect, test } from 'vitest'
import type { DoctorDocument } from '../src/commands/doctor.ts'
import type { LoadDocument } from '../src/commands/load.ts'
import { makeShop, outgrow } from './cli.ts'

const signOf = ({ document }: { document: LoadDocument }, name: string): Sign | undefined =>
  document.examination?.signs.find((sign) => sign.name === name)

/** A work folder of its own, so that no run sees another's signs. */
async function strain(scenario: string, more: string[] = []) {
  const { file } = makeShop(10)
  const folder = dirname(file)
  const ran = await outgrow<LoadDocument>([
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
  expect(signOf(ran, 'checkpoint-lag')?.text).toContain('none went into the file')
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
  const { code, document } = await outgrow<LoadDocument>(args)
  expect([code, document.error?.code]).toEqual([2, 'OUTGROW_TABLES_MISSING'])
  expect(readdirSync(join(folder, 'load'))).toEqual([])
})
