import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Command, InvalidArgumentError } from 'commander'
import { startEmbeddedPostgres, withPostgres, type EmbeddedPostgres } from '@outgrow/databases'
import { diffDatamodels, renderDialects, schemaSourceOf } from '@outgrow/schema'
import { count, duration, size } from 'outgrow/output/terminal'
import { approachNames, type Approach, type ApproachName, type Work } from './approach.ts'
import { approaches, chooseApproaches } from './approaches.ts'
import type { Traffic } from './delay-proxy.ts'
import { reportMove, type Measured, type Run } from './move-report.ts'
import { serverCpuMs } from './process-usage.ts'
import { startProxyProcess } from './proxy-process.ts'
import { benchSchema, fillShop } from './shop.ts'
import { stoppable } from './stoppable.ts'

interface Options {
  rows: number
  rounds: number
  latency: number
  only?: ApproachName[]
  skip: ApproachName[]
  json?: string
}

export const moveCommand = new Command('move')
  .description(
    'the whole move: data, keys, indexes, validated foreign keys; against the limit and installed peers',
  )
  .option('--rows <n>', 'rows of the source', numberFrom(1), 300_000)
  .option('--rounds <n>', 'rounds; in each, every approach runs once', numberFrom(1), 3)
  .option('--latency <ms>', 'by how much longer a round trip to the server takes', numberFrom(0), 0)
  .option('--only <names>', 'approaches to run, separated by commas', names)
  .option('--skip <names>', 'approaches to leave out, separated by commas', names, [])
  .option('--json <file>', 'write the figures')
  .addHelpText(
    'after',
    `
Approaches: ${approachNames.join(', ')}.
outgrow reads rows from the file's pages; outgrow by driver, through SQLite's driver.
The last two run only where they are installed. outgrow verify compares what outgrow has moved in the same round.

With --latency, a proxy on loopback, in a process of its own, holds back every byte for half the round trip and counts it;
bandwidth is not limited. Without it, all connect to the server directly, after a round 0 that only counts bytes.

Examples:
  pnpm bench move --rows 3000000 --rounds 3 --json move.json
  pnpm bench move --latency 40 --only outgrow,limit
  pnpm bench move --skip 'pgloader,outgrow verify'
`,
  )
  .action((options: Options) => stoppable((signal) => benchMove(options, chosen(options), signal)))

function chosen({ only, skip }: Options): ApproachName[] {
  try {
    return chooseApproaches(only, skip)
  } catch (error) {
    return moveCommand.error(`error: ${(error as Error).message}`)
  }
}

function numberFrom(least: number): (text: string) => number {
  return (text) => {
    const value = Number(text)
    if (text.trim() !== '' && value >= least && Number.isFinite(value)) return value
    throw new InvalidArgumentError(`It has to be a number from ${least} on.`)
  }
}

function names(text: string): ApproachName[] {
  return text.split(',').map((part) => {
    const name = approachNames.find((known) => known === part.trim())
    if (name) return name
    throw new InvalidArgumentError(`The approaches are ${approachNames.join(', ')}.`)
  })
}

async function benchMove(options: Options, chosen: ApproachName[], signal: AbortSignal): Promise<void> {
  const { rows, rounds, latency: latencyMs, json } = options
  const root = join(import.meta.dirname, '../../.outgrow')
  mkdirSync(root, { recursive: true })
  const folder = mkdtempSync(join(root, 'bench-'))
  try {
    process.stdout.write(`Making ${count(rows)} rows …\n`)
    const work = await makeWork(folder, rows, signal)
    process.stdout.write(
      `SQLite file ${size(statSync(work.file).size)}, ${rounds} rounds of ${chosen.join(', ')}\n`,
    )
    const measured = await withServer(folder, (server) => runRounds(server, work, chosen, rounds, latencyMs))
    reportMove({ rows, rounds, latencyMs }, measured, json)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

async function makeWork(folder: string, rows: number, signal: AbortSignal): Promise<Work> {
  const work = {
    file: join(folder, 'app.db'),
    schema: join(folder, 'schema.prisma'),
    ddl: join(folder, 'postgres.sql'),
    folder,
    signal,
  }
  writeFileSync(work.schema, benchSchema)
  const dialects = renderDialects(schemaSourceOf(benchSchema))
  await fillShop(work.file, await diffDatamodels('sqlite', undefined, dialects.sqlite), rows, signal)
  writeFileSync(work.ddl, await diffDatamodels('postgres', undefined, dialects.postgres))
  return work
}

/** A server with durable settings, the same for all. Neither it nor its folder is left behind. */
async function withServer<Result>(
  folder: string,
  use: (server: EmbeddedPostgres) => Promise<Result>,
): Promise<Result> {
  const directory = serverDirectory(folder)
  try {
    const server = await startEmbeddedPostgres({
      directory,
      settings: [
        'shared_buffers=1GB',
        'max_wal_size=8GB',
        'checkpoint_timeout=30min',
        'maintenance_work_mem=256MB',
      ],
    })
    try {
      return await use(server)
    } finally {
      await server.stop('immediate')
    }
  } finally {
    rmSync(directory, { recursive: true, force: true })
  }
}

/** Root's server runs as another user, who cannot enter the work folder. */
function serverDirectory(folder: string): string {
  if (process.getuid?.() !== 0) return join(folder, 'server')
  const directory = mkdtempSync('/var/tmp/outgrow-bench-')
  chmodSync(directory, 0o755)
  return directory
}

async function runRounds(
  server: EmbeddedPostgres,
  work: Work,
  chosen: ApproachName[],
  rounds: number,
  latencyMs: number,
): Promise<Map<ApproachName, Measured>> {
  const measured = new Map<ApproachName, Measured>()
  const prepared = new Map<ApproachName, Approach>()
  for (const name of chosen) {
    const approach = approaches[name](work)
    await approach.prepare?.(server.url)
    prepared.set(name, approach)
    measured.set(name, { runs: [], traffic: [] })
  }
  // Without latency no proxy stands in between: bytes are counted in a round that is not measured otherwise.
  for (let round = latencyMs > 0 ? 1 : 0; round <= rounds; round++) {
    for (const [name, approach] of prepared) {
      const { runs, traffic } = measured.get(name) as Measured
      const isDirect = latencyMs === 0 && round > 0
      const ran = isDirect
        ? await runOnce(server, name, approach, portOf(server))
        : await runProxied(server, name, approach, latencyMs, traffic)
      if (round > 0) runs.push(ran)
      process.stdout.write(`  round ${round} ${name}: ${duration(ran.ms)}\n`)
    }
  }
  return measured
}

/** @param traffic gets what went over the wire */
async function runProxied(
  server: EmbeddedPostgres,
  name: ApproachName,
  approach: Approach,
  roundTripMs: number,
  traffic: Traffic[],
): Promise<Run> {
  await using proxy = await startProxyProcess({ port: portOf(server), roundTripMs })
  const ran = await runOnce(server, name, approach, proxy.port)
  traffic.push(await proxy.traffic())
  return ran
}

async function runOnce(
  server: EmbeddedPostgres,
  name: ApproachName,
  { on, run }: Approach,
  port: number,
): Promise<Run> {
  const database = on === 'empty' ? name.replaceAll(/\W/g, '_') : 'outgrow'
  await withPostgres(server.url, async (client) => {
    if (on === 'empty') {
      await client.query(`DROP DATABASE IF EXISTS "${database}" WITH (FORCE)`)
      await client.query(`CREATE DATABASE "${database}" TEMPLATE template0`)
    }
    await client.query('CHECKPOINT')
  })
  const url = new URL(server.url)
  url.port = String(port)
  url.pathname = database
  const postmaster = Number(readFileSync(join(server.dataDirectory, 'postmaster.pid'), 'utf8').split('\n')[0])
  const before = serverCpuMs(postmaster)
  const usage = await run(url.href)
  if (usage.code !== 0) throw new Error(`${name} ended with ${usage.code}: ${usage.output.slice(-4000)}`)
  return { ...usage, serverCpuMs: serverCpuMs(postmaster) - before }
}

function portOf({ url }: EmbeddedPostgres): number {
  return Number(new URL(url).port)
}
