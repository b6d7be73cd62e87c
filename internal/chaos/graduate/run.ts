import { mkdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import {
  openSqlite,
  openSqliteReadonly,
  readAuthority,
  withPostgres,
  type Authority,
  type SqliteDatabase,
} from '@outgrow/databases'
import { assertNever } from '@outgrow/kit'
import { runAttempt, type AttemptEnded, type Grounds } from './attempts.ts'
import { checkReads, checkSides } from './check-reads.ts'
import { checkWrites } from './check-writes.ts'
import { checkCancelled, checkCommands, checkSchemaAfter, checkTargetAfter } from './check-ends.ts'
import { startFaultProxy } from './fault-proxy.ts'
import { readLedger, type Note, type Seen } from './ledger.ts'
import type { Phase, PhaseCommand, RunPlan } from './plan.ts'
import { ApplicationProcess } from './processes.ts'
import { differences, rowsOfPostgres, rowsOfSqlite, type Rows } from './rows.ts'
import { fill } from './schema.ts'
import type { Variant } from './variants.ts'
import type { CrashingServer } from './server.ts'
import { busyMs } from './sides.ts'

export interface RunResult {
  kills: number
  operations: number
  wrong: string[]
  /** What happened to the migrator, in words. */
  history: string[]
  ms: number
}

/** Attempts that nobody disturbs, after those of the plan. */
const moreAttempts = 4

/** Tries a command until it has done its work. */
async function runPhase(
  grounds: Grounds,
  { command, attempts }: Phase,
  { url, before, wrong }: { url: string; before: string; wrong: string[] },
): Promise<AttemptEnded[]> {
  const all: AttemptEnded[] = []
  const length = grounds.variant === undefined ? moreAttempts : 0
  const more = Array.from({ length }, () => ({ is: 'plain' }) as const)
  for (const attempt of [...attempts, ...more]) {
    const started = performance.now()
    const ended = await runAttempt(grounds, command, attempt)
    ended.ms = performance.now() - started
    all.push(ended)
    wrong.push(...ended.wrong, ...checkCommands(ended))
    const isCancelled =
      (attempt.is === 'cancel' || command === 'cancel') && authorityOf(grounds.file) === undefined
    if (isCancelled) wrong.push(...(await checkCancelled(grounds.file, url, before)))
    if (isReached(grounds.file, command) && isDone(ended)) break
  }
  return all
}

function isReached(file: string, command: PhaseCommand): boolean {
  const authority = authorityOf(file)
  switch (command) {
    case 'graduate':
      return authority?.side === 'postgres'
    case 'rollback':
      return authority?.side === 'sqlite'
    case 'complete':
      return authority?.state === 'completed'
    case 'cancel':
      return authority === undefined
    default:
      return assertNever(command)
  }
}

/** Lives one run: an application at work while its file graduates, and everything that the plan says goes wrong. */
export async function runPlan(
  plan: RunPlan,
  server: CrashingServer,
  folder: string,
  variant?: Variant,
): Promise<RunResult> {
  const started = Date.now()
  const { seed, goesOn, fullShare } = plan
  mkdirSync(folder, { recursive: true })
  const file = join(folder, 'app.db')
  const name = `chaos_${seed}_${started % 100_000}`
  const url = await server.makeDatabase(name)
  const before = makeFile(file, plan.writers.length)
  const proxy = await startFaultProxy(server.port)
  const to = new URL(url)
  to.port = String(proxy.port)
  const grounds: Grounds = {
    file,
    folder,
    to: to.href,
    server,
    proxy,
    variant,
    patienceMs: variant === undefined ? 60_000 : 25_000,
  }
  const request = { seed, file, postgresUrl: url, goesOn, variant }
  const writers = plan.writers.map(
    (kind, number) =>
      new ApplicationProcess('writer.ts', {
        ...request,
        number,
        kind,
        ledger: join(folder, `writer-${number}.jsonl`),
        fullShare,
      }),
  )
  const readers = plan.readers.map(
    (kind, number) =>
      new ApplicationProcess('reader.ts', {
        ...request,
        number,
        kind,
        ledger: join(folder, `reader-${number}.jsonl`),
        fullShare: 0,
      }),
  )
  const all = [...writers, ...readers]
  const over = new AbortController()
  const killing = killWriters(plan, writers, over.signal)
  const wrong: string[] = []
  const attempts: AttemptEnded[] = []
  let switches = 0
  try {
    await sleep(300)
    for (const phase of plan.phases) {
      const began = sideOf(file)
      attempts.push(...(await runPhase(grounds, phase, { url, before, wrong })))
      if (sideOf(file) !== began) switches++
      if (!isReached(file, phase.command)) {
        wrong.push(`${phase.command} never came to its end`)
        break
      }
      if (goesOn) await sleep(400)
    }
    over.abort()
    await killing
    const stopped = await Promise.all(all.map((one) => one.stop(busyMs + 10_000)))
    for (const [at, hasStopped] of stopped.entries())
      if (!hasStopped) wrong.push(`process ${at} of the application did not end`)
    for (const one of all) if (one.output !== '') wrong.push(`a process printed ${one.output.slice(0, 500)}`)
    const ledgers = writers.map((one) => readLedger<Note>(one.request.ledger))
    const seen = readers.map((one) => readLedger<Seen | { failed: string }>(one.request.ledger))
    const { acknowledged, wrong: wrongWrites } = await checkRows(plan, grounds, url, ledgers)
    wrong.push(...wrongWrites, ...checkReads(seed, seen, ledgers), ...checkSides(ledgers, switches))
    if (acknowledged === 0) wrong.push('nobody wrote anything')
    return {
      kills: [...attempts, ...all].reduce((sum, { kills }) => sum + kills, 0),
      operations: acknowledged,
      wrong,
      history: attempts.map(historyOf),
      ms: Date.now() - started,
    }
  } finally {
    over.abort()
    await Promise.all([killing, ...all.map((one) => one.stop(1000))])
    await proxy[Symbol.asyncDispose]()
    await server.dropDatabase(name).catch(() => {}) // it goes with the cluster
    if (wrong.length === 0) rmSync(folder, { recursive: true, force: true })
  }
}

async function checkRows(
  { seed, goesOn, phases }: RunPlan,
  { file }: Grounds,
  url: string,
  ledgers: Note[][],
): Promise<{ acknowledged: number; wrong: string[] }> {
  const allowsGone = phases.some(
    ({ command, attempts }) => command === 'rollback' && attempts.some(({ is }) => is !== 'plain'),
  )
  const authority = authorityOf(file)
  const isSwitched = authority?.side === 'postgres'
  const isCompleted = authority?.state === 'completed'
  const database = openSqliteReadonly(file)
  try {
    const left: Rows = isCompleted
      ? new Map()
      : rowsOfSqlite(database, isAside(database) ? '_graduated_' : '')
    const wrongFile = checkSchemaAfter(database)
    if (!isSwitched) {
      const { acknowledged, wrong } = checkWrites({ seed, allowsGone }, ledgers, left)
      return { acknowledged, wrong: [...wrong, ...wrongFile] }
    }
    return await withPostgres(url, async (client) => {
      const rows = await rowsOfPostgres(client)
      const { acknowledged, wrong } = checkWrites({ seed, allowsGone }, ledgers, rows)
      if (!goesOn) wrong.push(...differences(left, rows))
      wrong.push(
        ...wrongFile,
        ...(await checkTargetAfter(client, phases.at(-1)?.command === 'graduate' ? left : new Map())),
      )
      return { acknowledged, wrong }
    })
  } finally {
    database.close()
  }
}

/** Whether the tables have other names, as they should after a switch. */
function isAside(database: SqliteDatabase): boolean {
  return database.prepare("SELECT 1 FROM sqlite_schema WHERE name = '_graduated_account'").get() !== undefined
}

function makeFile(file: string, writers: number): string {
  const database = openSqlite(file)
  fill(database, writers)
  const schema = JSON.stringify(
    database.prepare('SELECT rowid, type, name, tbl_name, sql FROM sqlite_schema').all(),
  )
  database.close()
  return schema
}

function authorityOf(file: string): Authority | undefined {
  const database = openSqliteReadonly(file)
  try {
    return readAuthority(database)
  } finally {
    database.close()
  }
}

function sideOf(file: string): 'sqlite' | 'postgres' {
  return authorityOf(file)?.side ?? 'sqlite'
}

async function killWriters(
  { kills }: RunPlan,
  writers: ApplicationProcess[],
  signal: AbortSignal,
): Promise<void> {
  const started = Date.now()
  for (const { writer, afterMs } of kills.toSorted((a, b) => a.afterMs - b.afterMs)) {
    await sleep(Math.max(0, started + afterMs - Date.now()), undefined, { signal }).catch(() => {})
    if (signal.aborted) return
    await writers[writer]?.kill()
  }
}

/** A command that was disturbed is run again, as its users do. */
function isDone({ commands }: AttemptEnded): boolean {
  return commands.some(
    ({ code, report }) => code === 0 || code === 4 || report?.error?.code === 'OUTGROW_NOT_SWITCHED',
  )
}

function historyOf({ main, attempt, commands, ms }: AttemptEnded): string {
  const { is, ...rest } = attempt
  const ends = commands.map(
    ({ code, signal, report }) =>
      `${signal ?? code}${report?.error ? ` ${report.error.code}` : ''}${report ? ` (${report.state})${report.error ? ` ${report.error.message}` : ''}` : ''}`,
  )
  return `${main}, ${is}${Object.keys(rest).length > 0 ? ` ${JSON.stringify(rest)}` : ''}: ${ends.join(', ')}, ${(ms / 1000).toFixed(1)} s`
}
