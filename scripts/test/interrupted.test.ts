import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { mkdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { openSqlite, startEmbeddedPostgres, withPostgres } from '@outgrow/databases'
import { makeDatabase, temporaryFolder } from '@outgrow/testing'
import { expect, inject, test } from 'vitest'
import { makeShop, outgrow, startOutgrow } from './cli.ts'

const kills = Number(process.env.OUTGROW_KILLS ?? 50)
const seed = Number(process.env.OUTGROW_SEED ?? 1)

/** Mulberry32: the same pauses for the same seed. */
function random(state: number): () => number {
  let a = state
  return () => {
    a = (a + 0x6d2b79f5) | 0
    let t = Math.imul(a ^ (a >>> 15), 1 | a)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296
  }
}

const hashOf = (file: string) => createHash('sha256').update(readFileSync(file)).digest('hex')

const tablesIn = (url: string) =>
  withPostgres(url, async (client) => {
    const { rows } = await client.query<{ name: string }>(
      "SELECT relname AS name FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE nspname = 'public' AND relkind = 'r' ORDER BY 1",
    )
    return rows.map(({ name }) => name)
  })

test(`killed ${kills} times at random moments (seed ${seed}), a move resumes to exactly the right rows`, async () => {
  const { file, schema } = makeShop(150_000)
  const before = hashOf(file)
  const next = random(seed)
  let killed = 0
  let finished = 0
  const seen = new Set<string>()
  const codes = new Set<number | string | null>()
  while (killed < kills) {
    const target = await makeDatabase(inject('postgresUrl'))
    const args = ['migrate', '--from', file, '--schema', schema, '--to', target.url]
    let resume: string[] = []
    for (let done = false; !done;) {
      const child = startOutgrow([...args, ...resume])
      const exited = once(child, 'exit') as Promise<[number | null]>
      const code = await Promise.race([
        exited.then(([status]) => status),
        sleep(300 + next() * 1700).then(() => 'late'),
      ])
      if (code === 'late') {
        child.kill('SIGKILL')
        await exited
        killed++
        const shown = await tablesIn(target.url)
        seen.add(shown.join())
        done = shown.length > 0
        resume = ['--resume']
      } else {
        codes.add(code)
        done = true
      }
    }
    const checked = await outgrow(['verify', '--from', file, '--schema', schema, '--to', target.url])
    expect(checked.document.tables).toEqual([
      { table: 'Customer', sourceRows: 1000, targetRows: 1000, quarantinedRows: 0, digestMatch: true },
      { table: 'Order', sourceRows: 150_000, targetRows: 150_000, quarantinedRows: 0, digestMatch: true },
    ])
    finished++
    await target.drop()
  }
  expect(finished).toBeGreaterThan(0)
  expect([...codes]).toEqual([0])
  // Nothing may show before all of it does.
  seen.delete('Customer,Order,_prisma_migrations')
  expect([...seen]).toEqual([''])
  expect(hashOf(file)).toBe(before)
}, 600_000)

test('Postgres stopped and restarted mid-copy: the run says so and resumes', async () => {
  const { file, schema } = makeShop(300_000)
  const directory = join(temporaryFolder(), 'server')
  mkdirSync(directory)
  let server = await startEmbeddedPostgres({ directory, settings: ['fsync=off'] })
  const args = ['migrate', '--from', file, '--schema', schema]
  const running = outgrow([...args, '--to', server.url])
  // Let it build its schema and start copying.
  await withPostgres(server.url, async (client) => {
    for (let tries = 0; tries < 500; tries++) {
      const { rows } = await client.query("SELECT 1 FROM pg_stat_activity WHERE query LIKE 'COPY%'")
      if (rows.length > 0) return
      await sleep(10)
    }
  })
  await server.stop('immediate')
  const stopped = await running
  expect(stopped.code).toBe(2)
  expect(stopped.document.error).toMatchObject({
    code: 'OUTGROW_POSTGRES_LOST',
    fix: expect.stringContaining('--resume') as string,
  })
  server = await startEmbeddedPostgres({ directory, settings: ['fsync=off'] })
  const refused = await outgrow([...args, '--to', server.url])
  expect(refused.document.error?.code).toBe('OUTGROW_RUN_UNFINISHED')
  const resumed = await outgrow([...args, '--to', server.url, '--resume'])
  expect(resumed.code).toBe(0)
  expect(resumed.document.tables.map(({ targetRows, digestMatch }) => [targetRows, digestMatch])).toEqual([
    [300_000, true],
    [1000, true],
  ])
  await server.stop('immediate')
}, 120_000)

test('Ctrl-C ends with 3 and leaves the target as it was once the run is taken back', async () => {
  const { file, schema } = makeShop(300_000)
  const target = await makeDatabase(inject('postgresUrl'))
  const args = ['migrate', '--from', file, '--schema', schema, '--to', target.url]
  const child = startOutgrow(args)
  await sleep(1200)
  child.kill('SIGINT')
  const [code] = (await once(child, 'exit')) as [number | null]
  expect(code).toBe(3)
  expect(await tablesIn(target.url)).toEqual([])
  expect((await outgrow([...args, '--abort'])).code).toBe(0)
  expect(await target.query("SELECT nspname FROM pg_namespace WHERE nspname LIKE '\\_outgrow%'")).toEqual([])
  await target.drop()
}, 60_000)

test('a file that is being written to is copied as one snapshot, and the report says that more came', async () => {
  const { file, schema } = makeShop(100_000)
  const target = await makeDatabase(inject('postgresUrl'))
  const writer = openSqlite(file)
  const insert = writer.prepare('INSERT INTO "Order" (customerId, note, at) VALUES (1, ?, 0)')
  let written = 0
  const writing = setInterval(() => insert.run(`late ${written++}`), 5)
  const environment = join(temporaryFolder(), '.env')
  const { code, document } = await outgrow([
    'migrate',
    '--from',
    file,
    '--schema',
    schema,
    '--to',
    target.url,
    '--switch',
    environment,
  ])
  clearInterval(writing)
  writer.close()
  expect(written).toBeGreaterThan(10)
  expect(code).toBe(4)
  expect(document.findings.map((finding) => finding.code)).toEqual(['OUTGROW_SOURCE_ADVANCED'])
  const order = document.tables.find(({ table }) => table === 'Order')
  expect(order?.digestMatch).toBe(true)
  expect(order?.targetRows).toBeGreaterThanOrEqual(100_000)
  expect(order?.targetRows).toBeLessThan(100_000 + written)
  expect(() => readFileSync(environment)).toThrow('ENOENT')
  await target.drop()
}, 60_000)

test('a run whose source changed since must be restarted', async () => {
  const { file, schema } = makeShop(300_000)
  const target = await makeDatabase(inject('postgresUrl'))
  const args = ['migrate', '--from', file, '--schema', schema, '--to', target.url]
  const child = startOutgrow(args)
  await withPostgres(target.url, async (client) => {
    for (let tries = 0; tries < 500; tries++) {
      const { rows } = await client.query("SELECT 1 FROM pg_namespace WHERE nspname LIKE '\\_outgrow%'")
      if (rows.length > 0) return
      await sleep(10)
    }
  })
  child.kill('SIGKILL')
  await once(child, 'exit')
  const writer = openSqlite(file)
  writer.exec('INSERT INTO "Order" (customerId, note, at) VALUES (1, \'one more\', 0)')
  writer.close()
  const resumed = await outgrow([...args, '--resume'])
  expect([resumed.code, resumed.document.error?.code]).toEqual([2, 'OUTGROW_SOURCE_CHANGED'])
  const restarted = await outgrow([...args, '--restart'])
  expect(restarted.code).toBe(0)
  expect(restarted.document.tables[0]?.targetRows).toBe(300_001)
  await target.drop()
}, 120_000)
