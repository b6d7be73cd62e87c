import { execFile } from 'node:child_process'
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { openSqlite, startEmbeddedPostgres, withPostgres, type EmbeddedPostgres } from '@outgrow/databases'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { copiesOf, makeConsumer, megabytes, nameOf, type Consumer } from './consumer.ts'

const run = promisify(execFile)
const root = join(import.meta.dirname, '../..')
const packages = [
  'packages/kit',
  'packages/databases',
  'packages/schema',
  'packages/client',
  'packages/graduate',
  'packages/operations',
  'packages/billing',
  'packages/signs',
  'packages/stripe-fake',
  'scripts',
]
const home = mkdtempSync(join(tmpdir(), 'outgrow-packed-'))
const tarballs: string[] = []
let server: EmbeddedPostgres

beforeAll(async () => {
  for (const folder of packages) {
    const cwd = join(root, folder)
    rmSync(join(cwd, 'dist'), { recursive: true, force: true })
    await run('npx', ['-y', 'pnpm@12.21.0', 'pack', '--pack-destination', home], { cwd })
  }
  tarballs.push(
    ...readdirSync(home)
      .filter((name) => name.endsWith('.tgz'))
      .map((name) => join(home, name)),
  )
  server = await startEmbeddedPostgres({ directory: join(home, 'postgres') })
})
afterAll(async () => {
  await server.stop()
  rmSync(home, { recursive: true, force: true })
})

test('every package is packed, and only what it needs', async () => {
  expect(tarballs).toHaveLength(packages.length)
  for (const tarball of tarballs) {
    const { stdout } = await run('tar', ['-tzf', tarball])
    const files = stdout.trim().split('\n')
    expect(files).toContain('package/README.md')
    expect(files).toContain('package/LICENSE')
    expect(files.filter((file) => /\.tsx?$/.test(file) && !file.endsWith('.d.ts'))).toEqual([])
    const { stdout: manifest } = await run('tar', ['-xzOf', tarball, 'package/package.json'])
    expect(manifest).not.toContain('workspace:')
    const { dependencies = {} } = JSON.parse(manifest) as { dependencies?: Record<string, string> }
    expect(Object.keys(dependencies)).not.toContain('node')
  }
})

test('publint and attw find nothing in any of them', async () => {
  const bin = (name: string) => join(root, 'node_modules/.bin', name)
  for (const tarball of tarballs) {
    await expect(run(bin('publint'), ['--strict', tarball], { cwd: root })).resolves.toBeDefined()
    const checked = run(bin('attw'), ['--profile', 'esm-only', tarball], { cwd: root })
    await expect(checked).resolves.toBeDefined()
  }
})

test('the command line alone is small', async () => {
  const folder = join(home, 'alone')
  mkdirSync(folder)
  const dependencies = Object.fromEntries(tarballs.map((path) => [nameOf(path), `file:${path}`]))
  writeFileSync(join(folder, 'package.json'), JSON.stringify({ private: true, dependencies }))
  await run(process.execPath, [npmScript(), 'install', '--no-audit', '--no-fund'], { cwd: folder })
  // The SDK for buckets is 22 of it.
  expect(await megabytes(join(folder, 'node_modules'))).toBeLessThan(125)
})

describe.each(['22.23.3', '24.21.0'])('installed by npm on Node %s', (nodeVersion) => {
  let consumer: Consumer
  let postgres: string

  beforeAll(async () => {
    const folder = join(home, `node-${nodeVersion}`)
    consumer = await makeConsumer(folder, { nodeVersion, npm: npmScript(), tarballs })
    for (const file of readdirSync(join(import.meta.dirname, 'consumer')))
      cpSync(join(import.meta.dirname, 'consumer', file), join(consumer.folder, file))
    const name = `packed_${nodeVersion.split('.')[0]}`
    await withPostgres(server.url, async (client) => {
      await client.query(`CREATE DATABASE ${name} TEMPLATE template0 ENCODING 'UTF8'`)
      for (const part of ['client', 'live'])
        await client.query(`CREATE DATABASE ${name}_${part} TEMPLATE template0 ENCODING 'UTF8'`)
    })
    postgres = server.url.replace(/\/postgres(?=\?|$)/, `/${name}`)
    const database = openSqlite(join(consumer.folder, 'small.db'))
    database.exec(
      "CREATE TABLE harbours (id INTEGER PRIMARY KEY, name TEXT NOT NULL, depth REAL); INSERT INTO harbours (name, depth) VALUES ('Rønne', 7.5), ('Nexø', NULL)",
    )
    database.close()
  })

  test('one SQLite driver is installed, and nothing of it was compiled', async () => {
    expect(copiesOf('better-sqlite3', consumer.folder)).toBe(1)
    expect(existsSync(join(consumer.folder, 'node_modules/better-sqlite3/build'))).toBe(false)
    expect(
      existsSync(
        join(consumer.folder, 'node_modules/@outgrow/databases/dist/LICENSE-prisma-adapter-better-sqlite3'),
      ),
    ).toBe(true)
  })

  test('npx outgrow moves a small database, and starts quickly', async () => {
    const times: number[] = []
    for (let at = 0; at < 5; at++) times.push((await consumer.npx('outgrow', '--version')).ms)
    process.stdout.write(`outgrow --version: ${times.map((ms) => `${Math.round(ms)} ms`).join(', ')}\n`)
    const { stdout } = await consumer.npx(
      'outgrow',
      'migrate',
      '--schema',
      'introspect',
      '--from',
      'small.db',
      '--to',
      postgres,
      '--json',
    )
    const report = JSON.parse(stdout) as { ok: boolean; tables: unknown }
    expect(report).toMatchObject({
      ok: true,
      tables: [{ table: 'harbours', sourceRows: 2, targetRows: 2, digestMatch: true }],
    })
    expect(
      await withPostgres(
        postgres,
        async (client) => (await client.query('SELECT name, depth FROM harbours ORDER BY id')).rows,
      ),
    ).toEqual([
      { name: 'Rønne', depth: 7.5 },
      { name: 'Nexø', depth: null },
    ])
  })

  test.each(['sqlite', 'postgres'])('npx outgrow backs a database of %s up, and tries it', async (kind) => {
    const database = kind === 'sqlite' ? 'file:./small.db' : postgres
    const to = `backups-${kind}`
    const made = await consumer.npx('outgrow', 'backup', '--database', database, '--to', to, '--json')
    expect(JSON.parse(made.stdout)).toMatchObject({ ok: true })
    const drill = await consumer.npx(
      'outgrow',
      'backup',
      'drill',
      '--from',
      to,
      '--server',
      server.url,
      '--json',
    )
    expect(JSON.parse(drill.stdout)).toMatchObject({ ok: true, drill: { problems: [] } })
  })

  test('npx outgrow graduates a live file, and goes back', async () => {
    const target = postgres.replace(/(packed_\d+)/, '$1_live')
    const ends = ['--from', 'small.db', '--to', target, '--json']
    const graduated = await consumer.npx(
      'outgrow',
      'graduate',
      ...ends,
      '--schema',
      'introspect',
      '--cutover',
      'auto',
      '--budget-ms',
      '60000',
    )
    expect(JSON.parse(graduated.stdout)).toMatchObject({ ok: true, state: 'switched' })
    const back = await consumer.npx('outgrow', 'graduate', 'rollback', ...ends, '--budget-ms', '60000')
    expect(JSON.parse(back.stdout)).toMatchObject({ ok: true, state: 'following' })
    const cancelled = await consumer.npx('outgrow', 'graduate', 'cancel', ...ends)
    expect(JSON.parse(cancelled.stdout)).toMatchObject({ ok: true })
  })

  test('without a target and without the embedded server it says what is missing', async () => {
    const failed = consumer.npx(
      'outgrow',
      'migrate',
      '--schema',
      'introspect',
      '--from',
      'small.db',
      '--json',
    )
    await expect(failed).rejects.toMatchObject({
      code: 2,
      stdout: expect.stringContaining('OUTGROW_EMBEDDED_POSTGRES') as string,
    })
  })

  test('the client keeps its guarantees on a foreign schema, on both databases', async () => {
    const target = postgres.replace(/(packed_\d+)/, '$1_client')
    for (const url of ['file:./ships.db', target]) {
      await deploy(consumer, url)
      const { stdout } = await consumer.node('use-client.ts', url)
      expect(JSON.parse(stdout)).toEqual({
        ships: 13,
        crew: 12,
        unique: true,
        refused: 'OUTGROW_ROOT_IN_TRANSACTION',
      })
    }
  })

  test('billing is added to a schema, and a webhook is received and billed', async () => {
    mkdirSync(join(consumer.folder, 'billing/prisma'), { recursive: true })
    cpSync(join(consumer.folder, 'billing.prisma'), join(consumer.folder, 'billing/prisma/schema.prisma'))
    await consumer.npx('outgrow', 'billing', 'init', '--account', 'Captain', '--shadow', server.url)
    for (const name of ['sqlite', 'postgres']) await consumer.generate(`billing/prisma/${name}/schema.prisma`)
    await consumer.npx('outgrow', 'schema', 'deploy', '--to', 'file:./billing.db')
    const status = await consumer.npx(
      'outgrow',
      'billing',
      'status',
      '--database',
      'file:./billing.db',
      '--json',
    )
    expect(JSON.parse(status.stdout)).toMatchObject({ ok: true })
    const { stdout } = await consumer.node('use-billing.ts')
    expect(JSON.parse(stdout)).toEqual({ first: 200, again: 200, unsigned: 400, seats: '3' })
  })

  test.each(['nodenext', 'bundler'])('types are right under %s', async (resolution) => {
    const config = join(consumer.folder, `tsconfig.${resolution}.json`)
    const compilerOptions = {
      target: 'es2024',
      module: resolution === 'bundler' ? 'esnext' : 'nodenext',
      moduleResolution: resolution,
      strict: true,
      noEmit: true,
      allowImportingTsExtensions: true,
      types: ['node'],
      skipLibCheck: false,
    }
    writeFileSync(
      config,
      JSON.stringify({ compilerOptions, files: ['use-client.ts', 'use-billing.ts', 'outgrow.config.ts'] }),
    )
    await consumer.npx('tsc', '-p', config)
    writeFileSync(
      join(consumer.folder, 'wrong.ts'),
      readFileSync(join(consumer.folder, 'use-client.ts'), 'utf8').replace(
        "{ name: 'Fram' }",
        "{ nam: 'Fram' }",
      ),
    )
    writeFileSync(config, JSON.stringify({ compilerOptions, files: ['wrong.ts'] }))
    await expect(consumer.npx('tsc', '-p', config)).rejects.toMatchObject({
      stdout: expect.stringContaining('nam') as string,
    })
  })
})

/** Makes the tables by the command line itself, from a schema that it generates both dialects of. */
async function deploy({ folder, npx }: Consumer, url: string): Promise<void> {
  if (!existsSync(join(folder, 'shared/sqlite'))) {
    mkdirSync(join(folder, 'shared'), { recursive: true })
    cpSync(join(folder, 'prisma/sqlite.prisma'), join(folder, 'shared/schema.prisma'))
    await npx('outgrow', 'generate', '--schema', 'shared/schema.prisma')
    await npx(
      'outgrow',
      'schema',
      'migrate',
      'init',
      '--schema',
      'shared/schema.prisma',
      '--shadow',
      server.url,
    )
  }
  await npx('outgrow', 'schema', 'deploy', '--schema', 'shared/schema.prisma', '--to', url)
}

/** npm's own script, beside the Node that the host has. */
function npmScript(): string {
  const found = (process.env.PATH ?? '')
    .split(':')
    .flatMap((folder) => [
      join(folder, '../lib/node_modules/npm/bin/npm-cli.js'),
      join(dirname(folder), 'share/nodejs/npm/bin/npm-cli.js'),
    ])
    .find((path) => existsSync(path))
  if (found === undefined) throw new Error('npm is not found beside any node of PATH')
  return found
}
