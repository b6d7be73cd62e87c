import { execFileSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, inject, test } from 'vitest'
import { makeDatabase, until } from '@outgrow/testing'
import { makeBaseRoot } from './base-root.ts'
import { buildImage, type Image } from './build-image.ts'
import { readServices } from '../test/compose-file.ts'
import { environmentOf } from './environment-of.ts'
import { removeImage, runImage } from './run-image.ts'

const repository = join(import.meta.dirname, '../..')
const canBuild = process.getuid?.() === 0 && isOnPath('debootstrap')

const settings = {
  AUTH_SECRET: 'a secret of the image’s tests, long enough',
  STRIPE_SECRET_KEY: 'sk_test_image',
  // Nobody answers there: the apps start all the same.
  STRIPE_API_BASE: 'http://127.0.0.1:9',
  STRIPE_WEBHOOK_SECRET: 'whsec_image',
  PRICE_PRO: 'price_pro',
  PRICE_TEAM: 'price_team',
  CONSOLE_TOKEN: 'token-of-the-image-tests',
  POSTGRES_PASSWORD: 'unused',
  OUTGROW_BACKUP_KEY: randomBytes(32).toString('hex'),
}

const folder = mkdtempSync(join(tmpdir(), 'outgrow-image-'))
const mounts: string[] = []
let image: Image

beforeAll(() => {
  if (!canBuild) return
  const base = join(folder, 'base')
  makeBaseRoot(base)
  image = buildImage(join(repository, 'Dockerfile'), base, folder, mounts)
})

afterAll(() => {
  removeImage(mounts)
  rmSync(folder, { recursive: true, force: true })
})

test.skipIf(!canBuild).each(['compose.sqlite.yaml', 'compose.yaml'])(
  '%s: migrations, every app answers, and backups are made and tried, by a user without rights and with nothing to write to but its volumes',
  async (file) => {
    const services = readServices(join(repository, file))
    const { url } = await makeDatabase(inject('postgresUrl'))
    const volume = mkdtempSync(join(folder, 'volumes-'))
    const env = (name: string) =>
      Object.fromEntries(
        Object.entries(environmentOf(services[name] ?? {}, settings)).map(([key, value]) => [
          key,
          /@(postgres|pgbouncer):/.test(value) ? url : value,
        ]),
      )
    const start = (name: string) =>
      runImage(image, volume, { command: services[name]?.command, environment: env(name) })
    const migrating = start('migrate')
    expect(await ended(migrating)).toEqual({ code: 0, output: expect.any(String) })

    const apps = ['web', 'worker', 'console'].map((name) => ({ name, process: start(name) }))
    const outputs = apps.map(({ process }) => ended(process))
    try {
      for (const { name, process } of apps) {
        const [, ...check] = services[name]?.healthcheck?.test ?? []
        const isHealthy = async () => {
          expect(process.exitCode).toBe(null)
          return (await ended(runImage(image, volume, { command: check, environment: {} }))).code === 0
        }
        await until(isHealthy)
      }
    } finally {
      for (const { process } of apps) process.kill('SIGTERM')
    }
    for (const output of outputs) expect(await output).toEqual({ code: 0, output: expect.any(String) })
    expect(readdirSync(join(volume, 'data'))).toContain('signs.db')

    const backup = start('backup')
    const end = ended(backup)
    let said = ''
    for (const stream of [backup.stdout, backup.stderr]) stream?.on('data', (text) => (said += String(text)))
    await until(() => {
      expect(backup.exitCode).toBe(null)
      return said.includes('Proved')
    })
    backup.kill('SIGTERM')
    expect(await end).toEqual({ code: 3, output: expect.stringContaining('Proved') as string })
    const names = readdirSync(join(volume, 'backups'), { recursive: true }) as string[]
    expect(names.filter((name) => /drill-\w+\.json$/.test(name))).not.toEqual([])
  },
)

test.skipIf(!canBuild)('one container can run all three, and ends when one of them does', async () => {
  const services = readServices(join(repository, 'compose.sqlite.yaml'))
  const volume = mkdtempSync(join(folder, 'volumes-'))
  const environment = Object.assign(
    {},
    ...['web', 'worker', 'console'].map((name) => environmentOf(services[name] ?? {}, settings)),
  ) as Record<string, string>
  const run = (command: string[]) => runImage(image, volume, { command, environment })
  expect(await ended(run(['outgrow', 'schema', 'deploy']))).toMatchObject({ code: 0 })
  const all = run(['node', 'apps/all.mjs'])
  const end = ended(all)
  for (const name of ['web', 'worker', 'console']) {
    const [, ...check] = services[name]?.healthcheck?.test ?? []
    await until(async () => (await ended(run(check))).code === 0)
  }
  all.kill('SIGTERM')
  expect(await end).toEqual({ code: 0, output: expect.stringContaining('stopped') as string })
  // Without its secret the web app does not start.
  const alone = runImage(image, volume, {
    command: ['node', 'apps/all.mjs'],
    environment: { ...environment, AUTH_SECRET: 'short' },
  })
  expect(await ended(alone)).toEqual({
    code: 1,
    output: expect.stringContaining('AUTH_SECRET') as string,
  })
})

function isOnPath(command: string): boolean {
  try {
    execFileSync('which', [command])
    return true
  } catch {
    return false
  }
}

/** Awaits the end of a process: its status, and all that it printed, to show where it was another than expected. */
async function ended(child: ReturnType<typeof runImage>): Promise<{ code: number | null; output: string }> {
  let output = ''
  for (const stream of [child.stdout, child.stderr]) stream?.on('data', (chunk) => (output += String(chunk)))
  const [code] = (await once(child, 'close')) as [number | null]
  return { code, output }
}
