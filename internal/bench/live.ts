import { mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { Command } from 'commander'
import { openSqlite, startEmbeddedPostgres, withPostgres } from '@outgrow/databases'
import { diffDatamodels, renderDialects, schemaSourceOf } from '@outgrow/schema'
import { count, size } from 'outgrow/output/terminal'
import { startApplication } from './live-application.ts'
import { measureGraduation } from './live-graduation.ts'
import { reportLive, type Moment } from './live-report.ts'
import { startProxyProcess } from './proxy-process.ts'
import { benchSchema, fillShop } from './shop.ts'
import { stoppable } from './stoppable.ts'

export interface LiveOptions {
  rows: string
  tables: string
  writers: string
  rate: string
  rehearsals: string
  switches: string
  latency: string
  json?: string
}

export const liveCommand = new Command('live')
  .description(
    'graduating while an application writes: how long writes are held, as the lock is and as its writers see it',
  )
  .option('--rows <n>', 'rows of the source', '100000')
  .option('--tables <n>', 'tables; those beyond the seven that have rows hold ten each', '10')
  .option('--writers <n>', 'processes that write, over the facade', '4')
  .option('--rate <n>', 'writes a second of each', '50')
  .option('--rehearsals <n>', 'rehearsed switches', '20')
  .option('--switches <n>', 'real switches; after each the application goes back', '3')
  .option('--latency <ms>', 'by how much longer a round trip to the server takes', '0')
  .option('--json <file>', 'write the figures')
  .addHelpText(
    'after',
    `
With --latency, a proxy on loopback holds back every byte for half the round trip, for the application too.

Examples:
  pnpm bench live
  pnpm bench live --rows 1000000 --tables 300 --rehearsals 200 --switches 20 --latency 40 --json live.json
`,
  )
  .action((options: LiveOptions) => stoppable((signal) => benchLive(options, signal)))

async function benchLive(options: LiveOptions, signal: AbortSignal): Promise<void> {
  const root = join(import.meta.dirname, '../../.outgrow')
  mkdirSync(root, { recursive: true })
  const folder = mkdtempSync(join(root, 'bench-'))
  const file = join(folder, 'app.db')
  await makeFile(file, Number(options.rows), Number(options.tables), signal)
  process.stdout.write(
    `${count(Number(options.rows))} rows and ${options.tables} tables, ${size(statSync(file).size)}; ${options.writers} writers, ${options.rate} writes a second each\n`,
  )
  const server = await startEmbeddedPostgres({
    directory: join(folder, 'server'),
    settings: ['shared_buffers=256MB', 'max_wal_size=4GB', 'max_locks_per_transaction=1024'],
  })
  try {
    await withPostgres(server.url, (client) => client.query('CREATE DATABASE live TEMPLATE template0'))
    const to = new URL(server.url)
    to.pathname = '/live'
    const latencyMs = Number(options.latency)
    await using proxy =
      latencyMs > 0 ? await startProxyProcess({ port: Number(to.port), roundTripMs: latencyMs }) : undefined
    if (proxy) to.port = String(proxy.port)
    await using application = await startApplication(file, {
      writers: Number(options.writers),
      rate: Number(options.rate),
      postgresUrl: to.href,
    })
    const quiet = await quietMoments()
    const figures = await measureGraduation({
      file,
      to: to.href,
      folder,
      rehearsals: Number(options.rehearsals),
      switches: Number(options.switches),
      lagMs: 10_000,
      signal,
      onStep: (what) => process.stderr.write(`  ${what}\n`),
    })
    const report = reportLive(figures, quiet, await application.gaps())
    process.stdout.write(report.text)
    if (options.json !== undefined)
      writeFileSync(options.json, `${JSON.stringify({ options, ...report.figures }, null, 2)}\n`)
  } finally {
    await server.stop('immediate')
    rmSync(join(server.dataDirectory, '..'), { recursive: true, force: true })
    rmSync(folder, { recursive: true, force: true })
  }
}

/** Moments at which nothing is done to the application: what its writers see then is the machine's own. */
async function quietMoments(): Promise<Moment[]> {
  const moments: Moment[] = []
  for (let at = 0; at < 10; at++) {
    await sleep(600)
    moments.push({ at: new Date().toISOString(), ms: 0 })
  }
  await sleep(600)
  return moments
}

/** The shop of the other benches, with the table that the writers use, and as many small ones as it takes. */
async function makeFile(file: string, rows: number, tables: number, signal: AbortSignal): Promise<void> {
  const { sqlite } = renderDialects(schemaSourceOf(benchSchema))
  await fillShop(file, await diffDatamodels('sqlite', undefined, sqlite), rows, signal)
  const database = openSqlite(file)
  database.exec(`CREATE TABLE people (
    id TEXT NOT NULL PRIMARY KEY, email TEXT NOT NULL, name TEXT, email_verified BOOLEAN NOT NULL DEFAULT false, picture BLOB,
    preferences JSONB NOT NULL DEFAULT '{}', created_at DATETIME NOT NULL DEFAULT CURRENT_TIMESTAMP,
    updated_at DATETIME NOT NULL, invited_by_id TEXT REFERENCES people (id) ON DELETE SET NULL ON UPDATE CASCADE);
    CREATE UNIQUE INDEX people_email_key ON people (email)`)
  const { there } = database
    .prepare("SELECT count(*) AS there FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%'")
    .get() as { there: number }
  for (let at = there; at < tables; at++)
    database.exec(`CREATE TABLE small_${at} (id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT NOT NULL UNIQUE, person TEXT REFERENCES people (id));
      INSERT INTO small_${at} (name) WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 10) SELECT 'row ' || i FROM n`)
  database.close()
}
