import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { cpus, totalmem } from 'node:os'
import { join } from 'node:path'
import { Command } from 'commander'
import { startEmbeddedPostgres, withPostgres } from '@outgrow/databases'
import { diffDatamodels, renderDialects, schemaSourceOf } from '@outgrow/schema'
import { count, duration, size, textTable } from 'outgrow/output/terminal'
import { measure, median, serverCpuMs, type Usage } from './process-usage.ts'
import { benchSchema, fillShop } from './shop.ts'

interface Approach {
  name: string
  /** Runs against an empty database, or against the one that outgrow filled. */
  on: 'empty' | 'filled'
  run(url: string): Promise<Usage>
}

interface Measured {
  name: string
  medianMs: number
  clientCpuMs: number
  serverCpuMs: number
  peakBytes: number
  rowsPerSecond: number
}

export const moveCommand = new Command('move')
  .description(
    'the whole move: data, keys, indexes, validated foreign keys; against the limit and installed peers',
  )
  .option('--rows <n>', 'rows of the source', '300000')
  .option('--rounds <n>', 'rounds; in each, every approach runs once', '3')
  .option('--skip <names>', 'approaches to leave out, separated by commas', '')
  .option('--json <file>', 'write the figures')
  .action(async (options: { rows: string; rounds: string; skip: string; json?: string }) => {
    const root = join(import.meta.dirname, '../../.outgrow')
    mkdirSync(root, { recursive: true })
    const folder = mkdtempSync(join(root, 'bench-'))
    try {
      await benchMove(
        folder,
        Number(options.rows),
        Number(options.rounds),
        options.skip.split(','),
        options.json,
      )
    } finally {
      rmSync(folder, { recursive: true, force: true })
    }
  })

async function benchMove(
  folder: string,
  rows: number,
  rounds: number,
  skip: string[],
  json: string | undefined,
): Promise<void> {
  const file = join(folder, 'app.db')
  const schema = join(folder, 'schema.prisma')
  writeFileSync(schema, benchSchema)
  const dialects = renderDialects(schemaSourceOf(benchSchema))
  process.stdout.write(`Making ${count(rows)} rows …\n`)
  fillShop(file, await diffDatamodels('sqlite', undefined, dialects.sqlite), rows)
  const ddl = join(folder, 'postgres.sql')
  writeFileSync(ddl, await diffDatamodels('postgres', undefined, dialects.postgres))
  // Durable settings, the same for all.
  const server = await startEmbeddedPostgres({
    directory: join(folder, 'server'),
    settings: [
      'shared_buffers=1GB',
      'max_wal_size=8GB',
      'checkpoint_timeout=30min',
      'maintenance_work_mem=256MB',
    ],
  })
  const approaches = approachesFor(file, schema, ddl, folder).filter(({ name }) => !skip.includes(name))
  const postmaster = Number(readFileSync(join(server.dataDirectory, 'postmaster.pid'), 'utf8').split('\n')[0])
  const runs = new Map<string, (Usage & { serverMs: number })[]>()
  const database = (name: string) => server.url.replace(/\/postgres\?/, `/${name}?`)
  try {
    process.stdout.write(
      `SQLite file ${size(statSync(file).size)}, ${rounds} rounds of ${approaches.map(({ name }) => name).join(', ')}\n`,
    )
    const bin = join(import.meta.dirname, '../../scripts/bin/outgrow.mjs')
    const out = join(folder, 'export')
    for (const args of [
      ['export', '--from', file],
      ['transform', '--schema', schema],
    ]) {
      execFileSync(process.execPath, [bin, ...args, '--dir', out], { stdio: 'ignore' })
    }
    for (let round = 0; round < rounds; round++) {
      for (const { name, on, run } of approaches) {
        const target = on === 'empty' ? name.replaceAll(/\W/g, '_') : 'outgrow'
        await withPostgres(server.url, async (client) => {
          if (on === 'empty') {
            await client.query(`DROP DATABASE IF EXISTS "${target}" WITH (FORCE)`)
            await client.query(`CREATE DATABASE "${target}" TEMPLATE template0`)
          }
          await client.query('CHECKPOINT')
        })
        const before = serverCpuMs(postmaster)
        const usage = await run(database(target))
        if (usage.code !== 0)
          throw new Error(`${name} ended with ${usage.code}: ${usage.output.slice(-4000)}`)
        const known = runs.get(name) ?? []
        runs.set(name, [...known, { ...usage, serverMs: serverCpuMs(postmaster) - before }])
        process.stdout.write(`  round ${round + 1} ${name}: ${duration(usage.ms)}\n`)
      }
    }
  } finally {
    await server.stop('immediate')
  }
  report(rows, rounds, runs, json)
}

function approachesFor(file: string, schema: string, ddl: string, folder: string): Approach[] {
  const bin = join(import.meta.dirname, '../../scripts/bin/outgrow.mjs')
  const outgrow = (command: string) => (url: string) =>
    measure(process.execPath, [bin, command, '--from', file, '--schema', schema, '--json'], {
      POSTGRES_URL: url,
    })
  const approaches: Approach[] = [
    { name: 'outgrow', on: 'empty', run: outgrow('migrate') },
    { name: 'outgrow verify', on: 'filled', run: outgrow('verify') },
    {
      name: 'limit',
      on: 'empty',
      run: (url) =>
        measure(process.execPath, [join(import.meta.dirname, 'limit.ts'), join(folder, 'export'), ddl], {
          POSTGRES_URL: url,
        }),
    },
  ]
  if (installed('pgloader'))
    approaches.push({ name: 'pgloader', on: 'empty', run: (url) => pgloader(file, ddl, folder, url) })
  if (installed('sqlite3') && installed('psql')) {
    approaches.push({
      name: 'sqlite3 csv to psql',
      on: 'empty',
      run: (url) => csvPipe(file, ddl, folder, url),
    })
  }
  return approaches
}

function installed(command: string): boolean {
  try {
    execFileSync('sh', ['-c', `command -v ${command}`], { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
}

const tableNames = ['User', 'Account', 'Product', 'Vote', 'Event', 'AuditEntry']
const dateColumns: Record<string, string> = {
  User: 'createdAt',
  Account: 'createdAt',
  Product: 'createdAt',
  Vote: 'createdAt',
  Event: 'receivedAt',
  AuditEntry: 'at',
}

/**
 * pgloader into the tables of the DDL. Its work-arounds: dates are read as text from views that have already turned
 * milliseconds into ISO text (it takes them for years), small batches (1 kB payloads run it out of memory), data only,
 * and the keys made by psql afterwards, as its own come out under other names.
 */
async function pgloader(file: string, ddl: string, folder: string, url: string): Promise<Usage> {
  const prepared = join(folder, 'pgloader.db')
  const { tables, rest } = splitDdl(ddl)
  writeFileSync(join(folder, 'tables.sql'), tables)
  writeFileSync(join(folder, 'rest.sql'), rest)
  const copied = `rm -f ${prepared}; cp ${file} ${prepared}; sqlite3 ${prepared} "${tableNames
    .map((name) => {
      const column = dateColumns[name] as string
      return `UPDATE \\"${name}\\" SET \\"${column}\\" = strftime('%Y-%m-%dT%H:%M:%fZ', \\"${column}\\" / 1000.0, 'unixepoch') WHERE typeof(\\"${column}\\") = 'integer'`
    })
    .join(';')}"`
  execFileSync('sh', ['-c', copied], { stdio: 'ignore' })
  writeFileSync(
    join(folder, 'move.load'),
    `LOAD DATABASE FROM sqlite://${prepared} INTO ${url.replace('?sslmode=disable', '')}
 WITH data only, quote identifiers, prefetch rows = 1000
 CAST type datetime to timestamptz drop typemod, type jsonb to jsonb drop typemod
 SET timezone TO 'UTC';
`,
  )
  return measure(
    'sh',
    [
      '-c',
      `psql -q -v ON_ERROR_STOP=1 "$POSTGRES_URL" -f ${folder}/tables.sql && timeout 1200 pgloader --quiet ${folder}/move.load && psql -q -v ON_ERROR_STOP=1 "$POSTGRES_URL" -f ${folder}/rest.sql`,
    ],
    { POSTGRES_URL: url },
  )
}

/** CSV from SQLite's shell into \\copy, table after table; dates and booleans turned by SQL on the way. */
async function csvPipe(file: string, ddl: string, folder: string, url: string): Promise<Usage> {
  const { tables, rest } = splitDdl(ddl)
  writeFileSync(join(folder, 'tables.sql'), tables)
  writeFileSync(join(folder, 'rest.sql'), rest)
  const pipes = tableNames.map((name) => {
    const column = dateColumns[name] as string
    const columns = execFileSync('sqlite3', [
      file,
      `SELECT group_concat(CASE name WHEN '${column}' THEN 'CASE typeof("${column}") WHEN ''integer'' THEN strftime(''%Y-%m-%dT%H:%M:%fZ'', "${column}" / 1000.0, ''unixepoch'') ELSE "${column}" END' ELSE '"' || name || '"' END, ', ') FROM pragma_table_info('${name}')`,
    ])
      .toString()
      .trim()
    const select = join(folder, `${name}.sql`)
    writeFileSync(select, `SELECT ${columns} FROM "${name}";\n`)
    return `sqlite3 -csv -readonly ${file} < ${select} | psql -q -v ON_ERROR_STOP=1 "$POSTGRES_URL" -c '\\copy "${name}" FROM STDIN CSV'`
  })
  return measure(
    'sh',
    [
      '-c',
      `set -e; psql -q -v ON_ERROR_STOP=1 "$POSTGRES_URL" -f ${folder}/tables.sql; ${pipes.join('; ')}; psql -q -v ON_ERROR_STOP=1 "$POSTGRES_URL" -f ${folder}/rest.sql`,
    ],
    { POSTGRES_URL: url },
  )
}

/** Tables without keys, and what comes after the load. */
function splitDdl(file: string): { tables: string; rest: string } {
  const keys: string[] = []
  const tables: string[] = []
  const rest: string[] = []
  for (const statement of readFileSync(file, 'utf8')
    .replaceAll(/^--.*$/gm, '')
    .split(/;\s*$/m)) {
    const text = statement.trim()
    if (text.startsWith('CREATE TABLE')) {
      const table = /CREATE TABLE ("\w+")/.exec(text)?.[1]
      tables.push(
        text.replace(/,\s*(CONSTRAINT "\w+" PRIMARY KEY \(.*?\))/, (_, key: string) => {
          keys.push(`ALTER TABLE ${table} ADD ${key}`)
          return ''
        }),
      )
    } else if (text !== '' && !text.startsWith('CREATE SCHEMA')) rest.push(text)
  }
  const script = (statements: string[]) => statements.map((text) => `${text};\n`).join('')
  return { tables: script(tables), rest: script([...keys, ...rest, 'ANALYZE']) }
}

function report(
  rows: number,
  rounds: number,
  runs: Map<string, (Usage & { serverMs: number })[]>,
  json: string | undefined,
): void {
  const approaches: Measured[] = [...runs].map(([name, all]) => ({
    name,
    medianMs: Math.round(median(all.map(({ ms }) => ms))),
    clientCpuMs: Math.round(median(all.map(({ cpuMs }) => cpuMs))),
    serverCpuMs: Math.round(median(all.map(({ serverMs }) => serverMs))),
    peakBytes: Math.max(...all.map(({ peakBytes }) => peakBytes)),
    rowsPerSecond: Math.round(rows / (median(all.map(({ ms }) => ms)) / 1000)),
  }))
  /** Median of the rounds' own ratios: what drifts within a run touches both sides. */
  const ratio = (a: string, b: string): number | null => {
    const [left, right] = [runs.get(a), runs.get(b)]
    if (!left || !right) return null
    return Number(median(left.map(({ ms }, at) => ms / (right[at]?.ms ?? Number.NaN))).toFixed(2))
  }
  const ratios = {
    pgloaderToOutgrow: ratio('pgloader', 'outgrow'),
    outgrowToLimit: ratio('outgrow', 'limit'),
    verifyToMove: ratio('outgrow verify', 'outgrow'),
    csvToOutgrow: ratio('sqlite3 csv to psql', 'outgrow'),
  }
  const machine = {
    cpu: cpus()[0]?.model ?? 'unknown',
    cores: cpus().length,
    memoryBytes: totalmem(),
    node: process.version,
    postgres: '18 (embedded)',
  }
  process.stdout.write(
    `\n${textTable(
      ['approach', 'median', 'client CPU', 'server CPU', 'peak memory', 'rows/s'],
      approaches.map((one) => [
        one.name,
        duration(one.medianMs),
        duration(one.clientCpuMs),
        duration(one.serverCpuMs),
        size(one.peakBytes),
        one.rowsPerSecond,
      ]),
    ).join('\n')}\n\n`,
  )
  for (const [name, value] of Object.entries(ratios))
    process.stdout.write(`${name}: ${value ?? 'not measured'}\n`)
  if (json !== undefined) {
    writeFileSync(json, `${JSON.stringify({ machine, rows, rounds, approaches, ratios }, null, 2)}\n`)
  }
}
