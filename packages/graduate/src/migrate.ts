import { parsePostgresUrl, type PostgresClient, type PostgresUrl } from '@outgrow/databases'
import { Failure } from '@outgrow/kit'
import type { SchemaSource } from '@outgrow/schema'
import { expectedDigest, loadHash, sameDigest } from './copy/digest.ts'
import { FindingCollector, FixCounter } from './copy/findings.ts'
import type { Rendered } from './files/rendered.ts'
import type { MoveOptions } from './options.ts'
import { planMove, refuseDrift, type Plan } from './plan.ts'
import { prepareSchema, type PreparedSchema } from './prepare.ts'
import type { Report, StepReport, TableReport } from './report.ts'
import { readAdjustments, settleBroken, type Adjustment } from './run/adjust.ts'
import { baselineOf, writeBaselineFiles } from './run/baseline.ts'
import { castJobs, prepareCasts } from './run/casts.ts'
import { foreignKeyJobs, keyJobs, type Broken } from './run/constrain.ts'
import { differingGenerated } from './run/generated.ts'
import { runJobs } from './run/jobs.ts'
import { digestOfTarget, loadJobs } from './run/load.ts'
import { mustStop, type Move, type Progress } from './run/move.ts'
import { publish } from './run/publish.ts'
import { setsAside } from './run/quarantine-count.ts'
import { isSameRun, isSameSource, otherSchema, recordOf, resumable, unfinishedRun } from './run/record.ts'
import { readCounters } from './run/sequences.ts'
import { brokenInSource } from './source/checks.ts'
import { readSourceObjects } from './source/objects.ts'
import type { SourceReader } from './source/reader.ts'
import { withSharedSnapshot, type Snapshot } from './source/snapshot.ts'
import { readTables } from './source/tables.ts'
import { readTargetTables } from './target/catalog.ts'
import { checkServer, readTargetState } from './target/checks.ts'
import { expectedTables } from './target/expected-tables.ts'
import { withLocks } from './target/locks.ts'
import { connectForRun, lockTarget } from './target/run-lock.ts'
import { explained } from './target/server-failure.ts'
import {
  buildStaging,
  dropStaging,
  findRuns,
  setSearchPath,
  stagedName,
  type Built,
  type Staging,
} from './target/staging.ts'
import { qualified } from './target/structure.ts'
import { verifyRun } from './verify/verify.ts'

export interface MigrateRequest {
  from: string
  to: string
  schema: SchemaSource
  options: MoveOptions
  /** Loads a transformed export in place of the source's rows. */
  rendered?: Rendered | undefined
  /** Whether the target gets Prisma's `_prisma_migrations`, and the schema's folder its first migration. */
  writesHistory: boolean
  /** What to do with an unfinished run in the target. */
  unfinished: 'refuse' | 'resume' | 'restart'
  progress: Progress
  /** Is told of each step before it begins, and waited for. */
  onStep(name: string, at: number, of: number): void | Promise<void>
  signal: AbortSignal
}

export type MoveResult = Pick<Report, 'tables' | 'findings' | 'fixes' | 'steps'> & {
  notes: string[]
  /** The source was written to after the snapshot. */
  advanced: boolean
  /** How many more rows it has by now; 0 when rows were only changed. */
  laterRows: number
  run: string
  /** An earlier run had published this very state of the file already, and it was only compared again. */
  wasPublished: boolean
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
    run: async (move) => {
      move.counters = await readCounters(move, move.clients[0] as PostgresClient)
    },
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
    readTables(snapshot.database)
    const prepared = await preparing
    if (request.rendered && request.rendered.schema !== prepared.value.checksum) throw otherSchema()
    return withConnections(target, async (connect, clients) => {
      const first = await connect()
      await checkServer(first, target)
      await lockTarget(first)
      const published = await publishedRun(first, request, snapshot, prepared.value, target.schema)
      if (published) return finishPublished(request, first, snapshot, reader, prepared.value, published)
      const built = await stagingFor(request, first, snapshot, prepared.value, target.schema)
      for (let more = 0; more < 2; more++) await connect()
      for (const client of clients) await tune(client, built.staging)
      return await runMove(request, snapshot, reader, built, clients, prepared)
    })
  })
}

/** Runs `use` with connections that it opens one after another; all are closed in the end, however it comes. */
async function withConnections<Result>(
  target: PostgresUrl,
  use: (connect: () => Promise<PostgresClient>, clients: PostgresClient[]) => Promise<Result>,
): Promise<Result> {
  const clients: PostgresClient[] = []
  const connect = async () => {
    const client = await connectForRun(target)
    clients.push(client)
    return client
  }
  try {
    return await use(connect, clients)
  } catch (error) {
    throw explained(error, clients)
  } finally {
    await Promise.all(clients.map((client) => client.end().catch(() => {})))
  }
}

async function runMove(
  request: MigrateRequest,
  snapshot: Snapshot,
  reader: SourceReader,
  { staging, plan }: Built,
  clients: PostgresClient[],
  prepared: { value: PreparedSchema; report: StepReport },
): Promise<MoveResult> {
  const [first, second, builder] = clients as [PostgresClient, PostgresClient, PostgresClient]
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
    counters: new Map(),
    rendered: request.rendered,
    progress: request.progress,
    signal: request.signal,
  }
  try {
    await prepareCasts(move, first)
  } catch (error) {
    await dropStaging(first, staging)
    throw error
  }
  const reports: StepReport[] = [prepared.report]
  for (const [at, step] of steps.entries()) {
    await request.onStep(step.title, at + 1, steps.length + 1)
    request.signal.throwIfAborted()
    const { report } = await timed(step.name, () => step.run(move), move)
    reports.push(report)
    if (mustStop(move)) {
      await dropStaging(first, staging)
      throw new BadSource(resultOf(move, [], reports))
    }
  }
  await request.onStep('Publish', steps.length + 1, steps.length + 1)
  const adjustments = await readAdjustments(first, stagedName(staging.run, staging.home, undefined))
  const result = resultOf(move, adjustments, reports)
  const baseline = baselineOf(prepared.value, staging)
  const { report } = await timed('publish', () =>
    publish(first, staging, request.writesHistory ? baseline : [], move.counters, result),
  )
  reports.push(report)
  if (request.writesHistory) writeBaselineFiles(prepared.value, staging, baseline)
  return { ...result, ...laterRows(snapshot, plan) }
}

/** What came to the source after the snapshot: those rows are not in the target. */
function laterRows(snapshot: Snapshot, plan: Plan | undefined): Pick<MoveResult, 'advanced' | 'laterRows'> {
  const advanced = snapshot.hasAdvanced()
  const names = plan?.tables.map(({ source }) => source.name) ?? []
  return { advanced, laterRows: advanced ? snapshot.rowsSince(names) : 0 }
}

/** A run that has published this very state of the file, with the same options: nothing is left to move. */
async function publishedRun(
  client: PostgresClient,
  request: MigrateRequest,
  snapshot: Snapshot,
  prepared: PreparedSchema,
  home: string,
): Promise<Staging | undefined> {
  const now = recordOf(request, snapshot, prepared)
  const run = (await findRuns(client)).find(
    ({ status, staging }) =>
      status === 'published' &&
      staging.home === home &&
      isSameSource(staging.record, now) &&
      isSameRun(staging.record, now),
  )?.staging
  // Somebody may have dropped its tables since, to fill the target anew.
  return run && (await hasItsTables(client, run)) ? run : undefined
}

async function hasItsTables(client: PostgresClient, { schemas, promised }: Staging): Promise<boolean> {
  const tables = await readTargetTables(client, Object.keys(schemas))
  const there = new Set(tables.map(({ schema, name }) => `${schema}.${name}`))
  return promised.filter(({ kind }) => kind === 'table').every(({ name }) => there.has(name))
}

/** Whoever was killed between the publishing and the report finds it done, compares it, and finishes what is left. */
async function finishPublished(
  request: MigrateRequest,
  client: PostgresClient,
  snapshot: Snapshot,
  reader: SourceReader,
  prepared: PreparedSchema,
  staging: Staging,
): Promise<MoveResult> {
  await request.onStep('Compare with the run that was published already', 1, 1)
  const { tables, findings, notes, ms } = await verifyRun(client, snapshot, reader, {
    prepared,
    run: staging,
    home: staging.home,
    options: request.options,
    progress: request.progress,
    signal: request.signal,
  })
  if (request.writesHistory) writeBaselineFiles(prepared, staging, baselineOf(prepared, staging))
  const { result } = staging
  return {
    tables,
    findings: [...(result?.findings ?? []), ...findings],
    fixes: result?.fixes ?? [],
    steps: [{ name: 'verify', ms: Math.round(ms), rows: 0, bytes: 0 }],
    notes: [`The run ${staging.run} had moved this file already; both sides were compared again.`, ...notes],
    ...laterRows(snapshot, undefined),
    run: staging.run,
    wasPublished: true,
  }
}

/** Bad values stop the run unless they are to be set aside; then the findings come along. */
export class BadSource extends Error {
  readonly result: MoveResult

  constructor(result: MoveResult) {
    super('the source holds values that cannot be moved')
    this.result = result
  }
}

async function copyRows(move: Move): Promise<void> {
  const load = await loadJobs(move)
  const broken: Broken[] = []
  const casts = await castJobs(move, move.clients[0] as PostgresClient, load)
  const keys = keyJobs(move, load.loaded, broken)
  await runJobs([...load.chunks, ...casts, ...keys, ...load.readBack.values()], move.clients, [move.builder])
  if (mustStop(move)) {
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
  if (wrong.length === 0) {
    move.findings.merge(await differingGenerated(move, client))
    return
  }
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
): Promise<Built> {
  const state = await readTargetState(client, [home, ...prepared.others], expectedTables(prepared, home))
  const record = recordOf(request, snapshot, prepared)
  const tables = readTables(snapshot.database)
  if (state.kind === 'unfinished') {
    if (request.unfinished === 'resume') {
      const staging = resumable(state.staging, record)
      return { staging, plan: await planAgain(client, staging, snapshot, prepared, request.options) }
    }
    if (request.unfinished === 'refuse') throw unfinishedRun(state.staging)
    await dropStaging(client, state.staging)
    return stagingFor({ ...request, unfinished: 'refuse' }, client, snapshot, prepared, home)
  }
  return withLocks(client, [home, ...prepared.others], async () => {
    const built = await buildStaging(client, {
      home,
      others: prepared.others,
      ddl: prepared.ddl,
      replaces: state.kind === 'migrated',
      adds: !prepared.hasMigrations,
      rehearses: true,
      tables,
      objects: readSourceObjects(snapshot.database, tables),
      storage: prepared.storage,
      options: request.options,
      record,
    })
    refuseDrift(built.plan.findings)
    return built
  })
}

/** The plan of a run that goes on: its tables are there already. */
async function planAgain(
  client: PostgresClient,
  staging: Staging,
  snapshot: Snapshot,
  prepared: PreparedSchema,
  options: MoveOptions,
): Promise<Plan> {
  const plan = planMove(
    readTables(snapshot.database),
    prepared.storage,
    await readTargetTables(client, Object.values(staging.schemas)),
    (schema) => stagedName(staging.run, staging.home, schema),
    options,
  )
  refuseDrift(plan.findings)
  return plan
}

async function tune(client: PostgresClient, staging: Staging): Promise<void> {
  await setSearchPath(client, Object.values(staging.schemas), staging.home)
  await client.query("SET maintenance_work_mem = '256MB'; SET synchronous_commit = on")
}

function resultOf(move: Move, adjustments: Adjustment[], reports: StepReport[]): MoveResult {
  for (const { rule, table, column, changed } of adjustments) {
    if (rule === 'orphans-null') move.fixes.add(rule, table, column, changed)
  }
  const { plan, staging } = move
  return {
    tables: tableReports(move, adjustments),
    findings: [...move.findings.findings, ...plan.left, ...staging.carried.left],
    fixes: move.fixes.fixes,
    steps: reports,
    notes: [...plan.notes, ...staging.carried.notes],
    advanced: false,
    laterRows: 0,
    run: staging.run,
    wasPublished: false,
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
