import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { openSqlite, startEmbeddedPostgres, withPostgres } from '@outgrow/databases'
import { makeDatabase, temporaryFolder } from '@outgrow/testing'
import { expect, inject, test } from 'vitest'
import { makeShop, outgrow, startOutgrow } from '@outgrow/testing/cli'

const kills = Number(process.env.OUTGROW_KILLS ?? 3)
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

/** What a move says when it begins to send rows. */
const copies = 'Copy rows'

test(`killed ${kills} times at random moments (seed ${seed}), a move resumes to exactly the right rows`, async () => {
  const { file, schema } = makeShop(60_000)
  const before = hashOf(file)
  const next = random(seed)
  const seen = new Set<string>()
  const wholeMs: number[] = []
  let killed = 0
  while (killed < kills) {
    const target = await makeDatabase(inject('postgresUrl'))
    const args = ['migrate', '--from', file, '--schema', schema, '--to', target.url]
    const begun = performance.now()
    // Two are left alone: how long the quicker takes says when the others are to be killed. The first finds nothing compiled.
    const series = wholeMs.length < 2 ? 0 : Math.min(3, kills - killed)
    for (let at = 0; at < series; at++) {
      const { child, says, ended } = startOutgrow([...args, '--resume'])
      // The first kill comes while rows are sent, however fast the machine is by now; the others at any moment.
      await Promise.race([ended, at === 0 ? says(copies) : sleep(next() * 1.05 * Math.min(...wholeMs))])
      child.kill('SIGKILL')
      await ended
      killed++
      seen.add((await tablesIn(target.url)).join())
    }
    // Whatever was left, a run that was published and not reported included, is brought to its end.
    expect((await outgrow([...args, '--resume'])).code).toBe(0)
    if (wholeMs.length < 2) wholeMs.push(performance.now() - begun)
    const checked = await outgrow(['verify', '--from', file, '--schema', schema, '--to', target.url])
    expect([checked.code, checked.document.tables]).toEqual([
      0,
      [
        { table: 'Customer', sourceRows: 1000, targetRows: 1000, quarantinedRows: 0, digestMatch: true },
        { table: 'Order', sourceRows: 60_000, targetRows: 60_000, quarantinedRows: 0, digestMatch: true },
      ],
    ])
    await target.drop()
  }
  // Nothing may show before all of it does.
  seen.delete('Customer,Order,_prisma_migrations')
  expect([...seen]).toEqual([''])
  expect(hashOf(file)).toBe(before)
}, 3_600_000)

test('killed after publishing and before it could say so, a move is recognised, verified and finished', async () => {
  const { file, schema } = makeShop(2000, (database) =>
    database.exec(`UPDATE "Order" SET at = 'soon' WHERE id = 9`),
  )
  const target = await makeDatabase(inject('postgresUrl'))
  const folder = temporaryFolder()
  const environment = join(folder, '.env')
  const args = [
    'migrate',
    '--from',
    file,
    '--schema',
    schema,
    '--to',
    target.url,
    '--on-bad-value',
    'quarantine',
    '--work-dir',
    folder,
  ]
  expect((await outgrow(args)).code).toBe(4)
  for (const name of readdirSync(folder)) if (name.endsWith('.ndjson')) rmSync(join(folder, name))
  rmSync(join(dirname(schema), 'postgres'), { recursive: true })
  const again = await outgrow([...args, '--switch', environment, '--accept-quarantine'])
  expect([again.code, again.document.error]).toEqual([4, null])
  expect(again.document.findings.map(({ code }) => code)).toEqual(['OUTGROW_BAD_VALUE'])
  expect(again.document.tables.map(({ digestMatch }) => digestMatch)).toEqual([true, true])
  expect(readdirSync(folder).filter((name) => name.endsWith('.ndjson'))).toHaveLength(1)
  expect(readFileSync(environment, 'utf8')).toContain(new URL(target.url).pathname)
  expect(existsSync(join(dirname(schema), 'postgres/migrations/0_init/migration.sql'))).toBe(true)
  await target.drop()
})

test('Postgres stopped and restarted mid-copy: the run says so and resumes', async () => {
  const { file, schema } = makeShop(600_000)
  const directory = join(temporaryFolder(), 'server')
  mkdirSync(directory)
  let server = await startEmbeddedPostgres({ directory, settings: ['fsync=off'] })
  const args = ['migrate', '--from', file, '--schema', schema]
  const running = startOutgrow([...args, '--to', server.url])
  await running.says(copies)
  await server.stop('immediate')
  const stopped = await running.ended
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
    [600_000, true],
    [1000, true],
  ])
  await server.stop('immediate')
}, 600_000)

test('the embedded Postgres of a move without a target is gone: what ended the move is said', async () => {
  const { file, schema } = makeShop(600_000)
  const folder = temporaryFolder()
  const server = await startEmbeddedPostgres({ directory: join(folder, 'postgres') })
  const running = startOutgrow(['migrate', '--from', file, '--schema', schema, '--work-dir', folder])
  await running.says(copies)
  await server.stop('immediate')
  const { code, document } = await running.ended
  expect([code, document.error?.code]).toEqual([2, 'OUTGROW_POSTGRES_LOST'])
})

test('Ctrl-C ends with 3 and leaves the target as it was once the run is taken back', async () => {
  const { file, schema } = makeShop(400_000)
  const target = await makeDatabase(inject('postgresUrl'))
  const args = ['migrate', '--from', file, '--schema', schema, '--to', target.url]
  const running = startOutgrow(args)
  await running.says(copies)
  running.child.kill('SIGINT')
  expect((await running.ended).code).toBe(3)
  expect(await tablesIn(target.url)).toEqual([])
  expect((await outgrow([...args, '--abort'])).code).toBe(0)
  expect(await target.query("SELECT nspname FROM pg_namespace WHERE nspname LIKE '\\_outgrow%'")).toEqual([])
  await target.drop()
}, 600_000)

test('a file that is being written to is copied as one snapshot, and the report says that more came', async () => {
  const { file, schema } = makeShop(100_000)
  const target = await makeDatabase(inject('postgresUrl'))
  const writer = openSqlite(file)
  const insert = writer.prepare('INSERT INTO "Order" (customerId, note, at) VALUES (1, ?, 0)')
  let written = 0
  const writing = setInterval(() => insert.run(`late ${written++}`), 5)
  const environment = join(temporaryFolder(), '.env')
  const { code, document, stdout, stderr } = await outgrow([
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
  expect(stdout + stderr).not.toContain('Point DATABASE_URL at')
  const order = document.tables.find(({ table }) => table === 'Order')
  expect(order?.digestMatch).toBe(true)
  expect(order?.targetRows).toBeGreaterThanOrEqual(100_000)
  const later = document.findings[0]?.count ?? 0
  expect(later).toBeGreaterThan(0)
  expect((order?.targetRows ?? 0) + later).toBeLessThanOrEqual(100_000 + written)
  expect(() => readFileSync(environment)).toThrow('ENOENT')
  await target.drop()
}, 600_000)

test('a run whose source changed since must be restarted', async () => {
  const { file, schema } = makeShop(400_000)
  const target = await makeDatabase(inject('postgresUrl'))
  const args = ['migrate', '--from', file, '--schema', schema, '--to', target.url]
  const running = startOutgrow(args)
  await running.says(copies)
  running.child.kill('SIGKILL')
  await running.ended
  const writer = openSqlite(file)
  writer.exec('INSERT INTO "Order" (customerId, note, at) VALUES (1, \'one more\', 0)')
  writer.close()
  const resumed = await outgrow([...args, '--resume'])
  expect([resumed.code, resumed.document.error?.code]).toEqual([2, 'OUTGROW_SOURCE_CHANGED'])
  const restarted = await outgrow([...args, '--restart'])
  expect(restarted.code).toBe(0)
  expect(restarted.document.tables[0]?.targetRows).toBe(400_001)
  await target.drop()
}, 600_000)
