import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { connectPostgres, parsePostgresUrl, type PostgresClient } from '@outgrow/databases'
import { Failure, messageOf } from '@outgrow/kit'
import { writeMigrationState, type SchemaSource } from '@outgrow/schema'
import { expectedDigest, loadHash, sameDigest } from './copy/digest.ts'
import { FindingCollector, FixCounter } from './copy/findings.ts'
import type { Rendered } from './files/rendered.ts'
import { refuseDrift } from './inspect.ts'
import type { MoveOptions } from './options.ts'
import { planMove } from './plan.ts'
import { prepareSchema, type PreparedSchema } from './prepare.ts'
import type { Finding, Report, StepReport, TableReport } from './report.ts'
import { readAdjustments, settleBroken, type Adjustment } from './run/adjust.ts'
import { castJobs, prepareCasts } from './run/casts.ts'
import { foreignKeyJobs, keyJobs, type Broken } from './run/constrain.ts'
import { runJobs } from './run/jobs.ts'
import { digestOfTarget, loadJobs } from './run/load.ts'
import type { Move, Progress } from './run/move.ts'
import { publish } from './run/publish.ts'
import { setsAside } from './run/quarantine-count.ts'
import { setSequences } from './run/sequences.ts'
import { brokenInSource } from './source/checks.ts'
import type { SourceReader } from './source/reader.ts'
import { withSharedSnapshot, type Snapshot } from './source/snapshot.ts'
import { readSourceTables } from '@outgrow/databases'
import { readTargetTables } from './target/catalog.ts'
import { qualified } from './target/structure.ts'
import { checkServer, readTargetState } from './target/checks.ts'
import {
  createStaging,
  dropStaging,
  setSearchPath,
  stagedName,
  type RunRecord,
  type Staging,
} from './target/staging.ts'

export interface MigrateRequest {
  from: string
  to: string
  schema: SchemaSource
  options: MoveOptions
  /** Loads a transformed export in place of the source's rows. */
  rendered?: Rendered | undefined
  /** What to do with an unfinished run in the target. */
  unfinished: 'refuse' | 'resume' | 'restart'
  progress: Progress
  /** Hears each step as it begins. */
  onStep(name: string, at: number, of: number): void
  signal: AbortSignal
}

export type MoveResult = Pick<Report, 'tables' | 'findings' | 'fixes' | 'steps'> & {
  notes: string[]
  /** Rows came to the source after the snapshot. */
  advanced: boolean
  run: string
}

/** One step of the move. */
interface Step {
  name: string
  title: string
  run(move: Move): Promise<void>
}

const steps: Step[] = [
  { name: 'copy', title: 'Copy rows, build keys and indexes, read back', run: copyRows },
  { name: 'constrain', title: 'Check foreign keys', run: constrain },
  {
    name: 'sequences',
    title: 'Set counters',
    run: (move) => setSequences(move, move.clients[0] as PostgresClient),
  },
  { name: 'verify', title: 'Compare digests', run: verifyTables },
  { name: 'analyze', title: 'Gather statistics', run: analyze },
]

/**
 * Moves a whole SQLite database into an empty Postgres, as one pipeline without intermediate files.
 * Until the last step nothing is visible in the target but a schema of the run's own.
 * @throws Failure for everything expected; the target is then as it was, or holds a run that can be resumed.
 */
export async function migrate(request: MigrateRequest): Promise<MoveResult> {
  const target = parsePostgresUrl(request.to)
  // The schema is read while the file is opened.
  const preparing = timed('prepare', () => prepareSchema(request.schema, target.schema))
  preparing.catch(() => {}) // awaited below, once the file is open
  return withSharedSnapshot(request.from, request.signal, async (snapshot, reader) => {
    const prepared = await preparing
    if (request.rendered && request.rendered.schema !== prepared.value.checksum) throw otherSchema()
    const clients = [await connectPostgres(target)]
    try {
      const [first] = clients as [PostgresClient]
      await checkServer(first, target)
      const staging = await stagingFor(request, first, snapshot, prepared.value, target.schema)
      clients.push(await connectPostgres(target), await connectPostgres(target))
      for (const client of clients) await tune(client, staging)
      return await runMove(request, snapshot, reader, staging, clients, prepared)
    } catch (error) {
      throw lostConnection(error)
    } finally {
      await Promise.all(clients.map((client) => client.end().catch(() => {})))
    }
  })
}

async function runMove(
  request: MigrateRequest,
  snapshot: Snapshot,
  reader: SourceReader,
  staging: Staging,
  clients: PostgresClient[],
  prepared: { value: PreparedSchema; report: StepReport },
): Promise<MoveResult> {
  const [first, second, builder] = clients as [PostgresClient, PostgresClient, PostgresClient]
  const targets = await readTargetTables(first, Object.values(staging.schemas))
  const plan = planMove(
    readSourceTables(snapshot.database),
    prepared.value.storage,
    targets,
    (schema) => stagedName(staging.run, staging.home, schema),
    request.options,
  )
  const move: Move = {
    snapshot,
    reader,
    plan,
    staging,
    options: request.options,
    clients: [first, second],
    builder,
    hash: await loadHash(),
    findings: new FindingCollector(),
    fixes: new FixCounter(),
    tables: new Map(),
    bytesSent: 0,
    rendered: request.rendered,
    progress: request.progress,
    signal: request.signal,
  }
  try {
    refuseDrift(plan.findings)
    await prepareCasts(move, first)
  } catch (error) {
    await dropStaging(first, staging)
    throw error
  }
  const reports: StepReport[] = [prepared.report]
  for (const [at, step] of steps.entries()) {
    request.onStep(step.title, at + 1, steps.length + 1)
    request.signal.throwIfAborted()
    const { report } = await timed(step.name, () => step.run(move), move)
    reports.push(report)
    if (stopsRun(move)) {
      await dropStaging(first, staging)
      throw new BadSource(resultOf(move, [], reports, false))
    }
  }
  request.onStep('Publish', steps.length + 1, steps.length + 1)
  const adjustments = await readAdjustments(first, stagedName(staging.run, staging.home, undefined))
  const tables = tableReports(move, adjustments)
  const { report } = await timed('publish', () =>
    publish(first, staging, prepared.value.baseline, { tables }),
  )
  reports.push(report)
  if (!prepared.value.hasMigrations && !staging.replaces) writeBaselineFiles(prepared.value)
  return resultOf(move, adjustments, reports, snapshot.hasAdvanced())
}

/** Bad values stop the run unless they are to be set aside; then the findings come along. */
export class BadSource extends Error {
  readonly result: MoveResult

  constructor(result: MoveResult) {
    super('the source holds values that cannot be moved')
    this.result = result
  }
}

function stopsRun({ findings, options }: Move): boolean {
  if (findings.isEmpty) return false
  if (options.onBadValue === 'stop') {
    return findings.findings.some((finding) => !settledByRule(finding, options))
  }
  return false
}

/** Orphans that a rule set aside, and their children, do not stop the run. */
function settledByRule({ code }: Finding, { rules }: MoveOptions): boolean {
  return (
    rules.has('orphans-quarantine') && (code === 'OUTGROW_ORPHAN' || code === 'OUTGROW_PARENT_QUARANTINED')
  )
}

async function copyRows(move: Move): Promise<void> {
  const load = await loadJobs(move)
  const broken: Broken[] = []
  const casts = await castJobs(move, move.clients[0] as PostgresClient, load)
  const keys = keyJobs(move, load.loaded, broken)
  await runJobs([...load.chunks, ...casts, ...keys, ...load.readBack.values()], move.clients, [move.builder])
  if (!move.findings.isEmpty && move.options.onBadValue === 'stop') {
    move.findings.merge(
      brokenInSource(move.snapshot.database, move.plan.tables, move.staging.constraints, move.options),
    )
    return
  }
  if (broken.length > 0) await settleBroken(move, move.clients[0] as PostgresClient, broken)
}

async function constrain(move: Move): Promise<void> {
  const broken: Broken[] = []
  await runJobs(foreignKeyJobs(move, broken), move.clients)
  if (broken.length > 0) await settleBroken(move, move.clients[0] as PostgresClient, broken)
}

/** What was sent, changed by the recorded adjustments, must be what the target holds. */
async function verifyTables(move: Move): Promise<void> {
  const client = move.clients[0] as PostgresClient
  const adjustments = await readAdjustments(
    client,
    stagedName(move.staging.run, move.staging.home, undefined),
  )
  const wrong: string[] = []
  for (const [table, state] of move.tables) {
    const own = adjustments.filter((adjustment) => adjustment.table === table.source.name)
    if (own.length > 0 || state.received === undefined)
      state.received = await digestOfTarget(move, client, table)
    if (!sameDigest(expectedDigest(state.sent, own), state.received)) wrong.push(table.source.name)
  }
  if (wrong.length === 0) return
  throw new Failure({
    code: 'OUTGROW_VERIFY_MISMATCH',
    message: `What Postgres holds differs from what was sent in ${wrong.join(', ')}. Nothing was published.`,
    why: 'A trigger, a rule or another session changed rows in the run’s own schema, or this is a bug.',
    fix: 'Run again with --restart; if it stays, report it with the output of --json.',
  })
}

async function analyze(move: Move): Promise<void> {
  const jobs = [...move.tables]
    .toSorted(([, a], [, b]) => b.sent.rows - a.sent.rows)
    .map(([{ target }]) => ({
      name: `analyze ${target.name}`,
      after: [],
      run: async (client: PostgresClient) => {
        await client.query(`ANALYZE ${qualified(target)}`)
      },
    }))
  await runJobs(jobs, move.clients)
}

async function stagingFor(
  request: MigrateRequest,
  client: PostgresClient,
  snapshot: Snapshot,
  prepared: PreparedSchema,
  home: string,
): Promise<Staging> {
  const expected = new Set(prepared.storage.postgres.map(({ schema, table }) => `${schema ?? home}.${table}`))
  const joins = joinTables(prepared)
  const state = await readTargetState(
    client,
    [home, ...prepared.others],
    new Set([...expected, ...joins.map((name) => `${home}.${name}`)]),
  )
  const record = recordOf(request, snapshot, prepared)
  if (state.kind === 'unfinished') {
    if (request.unfinished === 'resume') return resumable(state.staging, record)
    if (request.unfinished === 'refuse') throw unfinishedRun(state.staging)
    await dropStaging(client, state.staging)
    return stagingFor({ ...request, unfinished: 'refuse' }, client, snapshot, prepared, home)
  }
  return createStaging(client, {
    home,
    others: prepared.others,
    ddl: prepared.ddl,
    replaces: state.kind === 'migrated',
    record,
  })
}

/** Implicit many-to-many tables, which the schema does not spell out. */
function joinTables({ prismaDdl: ddl }: PreparedSchema): string[] {
  return [...ddl.matchAll(/^CREATE TABLE (?:"[^"]+"\.)?"(_[^"]+)" \(\s*"A"/gm)].map(
    (match) => match[1] as string,
  )
}

function recordOf(request: MigrateRequest, snapshot: Snapshot, prepared: PreparedSchema): RunRecord {
  const { options } = request
  return {
    version: 1,
    source: snapshot.path,
    fingerprint: snapshot.fingerprint,
    startedAt: new Date().toISOString(),
    rules: [...options.rules].toSorted(),
    onBadValue: options.onBadValue,
    skipTables: [...options.skipTables].toSorted(),
    skipColumns: [...options.skipColumns].toSorted(),
    casts: [...options.casts],
    schema: prepared.checksum,
  }
}

function resumable(staging: Staging, now: RunRecord): Staging {
  const { record } = staging
  if (record.fingerprint !== now.fingerprint || record.source !== now.source) {
    throw new Failure({
      code: 'OUTGROW_SOURCE_CHANGED',
      message: `The unfinished run ${staging.run} copied another state of ${record.source}.`,
      why: 'The file was written to since; rows already copied may be out of date.',
      fix: 'Run again with --restart.',
    })
  }
  const told = (r: RunRecord) =>
    JSON.stringify([r.rules, r.onBadValue, r.skipTables, r.skipColumns, r.casts, r.schema])
  if (told(record) !== told(now)) {
    throw new Failure({
      code: 'OUTGROW_SOURCE_CHANGED',
      message: `The unfinished run ${staging.run} was started with other options or another schema.`,
      fix: 'Resume with the same options, or run again with --restart.',
    })
  }
  return staging
}

function otherSchema(): Failure {
  return new Failure({
    code: 'OUTGROW_SOURCE_CHANGED',
    message: 'The export was transformed with another schema.',
    fix: 'Run outgrow transform again with this schema.',
  })
}

function unfinishedRun(staging: Staging): Failure {
  return new Failure({
    code: 'OUTGROW_RUN_UNFINISHED',
    message: `The target holds the unfinished run ${staging.run}, started ${staging.record.startedAt}.`,
    fix: 'Go on with --resume, begin again with --restart, or take it back with --abort.',
  })
}

async function tune(client: PostgresClient, staging: Staging): Promise<void> {
  await setSearchPath(client, Object.values(staging.schemas), staging.home)
  await client.query("SET maintenance_work_mem = '256MB'; SET synchronous_commit = on")
}

function resultOf(
  move: Move,
  adjustments: Adjustment[],
  reports: StepReport[],
  advanced: boolean,
): MoveResult {
  for (const { rule, table, column, changed } of adjustments) {
    if (rule === 'orphans-null') move.fixes.add(rule, table, column, changed)
  }
  return {
    tables: tableReports(move, adjustments),
    findings: move.findings.findings,
    fixes: move.fixes.fixes,
    steps: reports,
    notes: move.plan.notes,
    advanced,
    run: move.staging.run,
  }
}

function tableReports(move: Move, adjustments: Adjustment[]): TableReport[] {
  return [...move.tables].map(([table, state]) => {
    const own = adjustments.filter((adjustment) => adjustment.table === table.source.name)
    return {
      table: table.source.name,
      sourceRows: state.sourceRows,
      targetRows: state.received?.rows ?? 0,
      quarantinedRows: state.quarantined + setsAside(own),
      digestMatch:
        state.received !== undefined && sameDigest(expectedDigest(state.sent, own), state.received),
    }
  })
}

/** The history's first entry, beside the generated schema, so that the next migration can build on it. */
function writeBaselineFiles({ postgresDirectory, postgresSchema, baseline }: PreparedSchema): void {
  const [init] = baseline
  if (!init) return
  const folder = join(postgresDirectory, 'migrations', init.name)
  mkdirSync(folder, { recursive: true })
  writeFileSync(join(folder, 'migration.sql'), init.sql)
  writeMigrationState(join(folder, '..'), 'postgres', postgresSchema)
  const schema = join(postgresDirectory, 'schema.prisma')
  if (!existsSync(schema)) writeFileSync(schema, postgresSchema)
}

function lostConnection(error: unknown): unknown {
  const code = (error as { code?: string } | undefined)?.code ?? ''
  const message = messageOf(error)
  const lost =
    /^(57P0[123]|08\d{3}|ECONNRESET|ECONNREFUSED|EPIPE|ETIMEDOUT)$/.test(code) ||
    /Connection terminated|not queryable|connection error/i.test(message)
  if (!lost || error instanceof Failure) return error
  return new Failure({
    code: 'OUTGROW_POSTGRES_LOST',
    message: `The connection to Postgres was lost: ${message}`,
    why: 'What was copied so far is kept in the run’s own schema; nothing is published.',
    fix: 'When the server is back, run the same command with --resume.',
    cause: error,
  })
}

async function timed<Value>(
  name: string,
  run: () => Promise<Value>,
  move?: Move,
): Promise<{ value: Value; report: StepReport }> {
  const started = performance.now()
  const value = await run()
  const rows =
    name === 'copy' && move ? [...move.tables.values()].reduce((sum, { sent }) => sum + sent.rows, 0) : 0
  return {
    value,
    report: {
      name,
      ms: Math.round(performance.now() - started),
      rows,
      bytes: name === 'copy' ? (move?.bytesSent ?? 0) : 0,
    },
  }
}
