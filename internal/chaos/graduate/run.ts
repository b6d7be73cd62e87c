import { mkdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { openSqlite, openSqliteReadonly, readAuthority, withPostgres } from '@outgrow/databases'
import { runAttempt, type AttemptEnded, type Grounds } from './attempts.ts'
import { checkReads, checkSides } from './check-reads.ts'
import { checkWrites } from './check-writes.ts'
import { checkCancelled, checkCommands, checkSchemaAfter, checkTargetAfter } from './check-ends.ts'
import { startFaultProxy } from './fault-proxy.ts'
import { readLedger, type Note, type Seen } from './ledger.ts'
import type { RunPlan } from './plan.ts'
import { ApplicationProcess } from './processes.ts'
import { differences, rowsOfPostgres, rowsOfSqlite } from './rows.ts'
import { fill } from './schema.ts'
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

/** Lives one run: an application at work while its file graduates, and everything that the plan says goes wrong. */
export async function runPlan(
  plan: RunPlan,
  server: CrashingServer,
  folder: string,
  imports: string[] = [],
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
  const grounds: Grounds = { file, folder, to: to.href, server, proxy, imports }
  const request = { seed, file, postgresUrl: url, goesOn }
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
  try {
    await sleep(300)
    for (const attempt of [
      ...plan.attempts,
      ...Array.from({ length: moreAttempts }, () => ({ is: 'plain' }) as const),
    ]) {
      const ended = await runAttempt(grounds, attempt)
      attempts.push(ended)
      wrong.push(...ended.wrong, ...checkCommands(ended))
      if (sideOf(file) === 'postgres' && isDone(ended)) break
      if (attempt.is === 'cancel' && sideOf(file) === 'sqlite')
        wrong.push(...(await checkCancelled(file, url, before)))
    }
    if (sideOf(file) !== 'postgres') wrong.push('the switch was never made')
    if (goesOn) await sleep(500)
    over.abort()
    await killing
    const stopped = await Promise.all(all.map((one) => one.stop(busyMs + 10_000)))
    for (const [at, hasStopped] of stopped.entries())
      if (!hasStopped) wrong.push(`process ${at} of the application did not end`)
    for (const one of all) if (one.output !== '') wrong.push(`a process printed ${one.output.slice(0, 500)}`)
    const ledgers = writers.map((one) => readLedger<Note>(one.request.ledger))
    const seen = readers.map((one) => readLedger<Seen | { failed: string }>(one.request.ledger))
    const { acknowledged, wrong: wrongWrites } = await checkRows(plan, grounds, url, ledgers)
    wrong.push(...wrongWrites, ...checkReads(seed, seen, ledgers), ...checkSides(ledgers))
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
  { seed, goesOn }: RunPlan,
  { file }: Grounds,
  url: string,
  ledgers: Note[][],
): Promise<{ acknowledged: number; wrong: string[] }> {
  const isSwitched = sideOf(file) === 'postgres'
  const database = openSqliteReadonly(file)
  try {
    const left = rowsOfSqlite(database, isSwitched ? '_graduated_' : '')
    if (!isSwitched) return checkWrites(seed, ledgers, left)
    return await withPostgres(url, async (client) => {
      const rows = await rowsOfPostgres(client)
      const { acknowledged, wrong } = checkWrites(seed, ledgers, rows)
      if (!goesOn) wrong.push(...differences(left, rows))
      wrong.push(...checkSchemaAfter(database), ...(await checkTargetAfter(client, left)))
      return { acknowledged, wrong }
    })
  } finally {
    database.close()
  }
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

function sideOf(file: string): 'sqlite' | 'postgres' {
  const database = openSqliteReadonly(file)
  try {
    return readAuthority(database)?.side ?? 'sqlite'
  } finally {
    database.close()
  }
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
  return commands.some(({ code }) => code === 0 || code === 4)
}

function historyOf({ attempt, commands }: AttemptEnded): string {
  const { is, ...rest } = attempt
  const ends = commands.map(
    ({ code, signal, report }) =>
      `${signal ?? code}${report?.error ? ` ${report.error.code}` : ''}${report ? ` (${report.state})${report.error ? ` ${report.error.message}` : ''}` : ''}`,
  )
  return `${is}${Object.keys(rest).length > 0 ? ` ${JSON.stringify(rest)}` : ''}: ${ends.join(', ')}`
}
