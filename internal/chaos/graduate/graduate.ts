import { join } from 'node:path'
import { mkdirSync, mkdtempSync, rmSync, readdirSync } from 'node:fs'
import { chanceOf } from './chance.ts'
import { planOf, type RunPlan } from './plan.ts'
import { runPlan, type RunResult } from './run.ts'
import type { Variant } from './variants.ts'
import { startServer } from './server.ts'

export interface GraduateChaosRequest {
  runs: number
  seed: number
  /** A design that loses something, in place of the product's. */
  variant?: Variant | undefined
  /** No run is begun after so long. */
  withinMs?: number | undefined
  onRun?(plan: RunPlan, result: RunResult): void
  signal?: AbortSignal
}

export interface GraduateChaosResult {
  seed: number
  runs: number
  kills: number
  operations: number
  /** By the seed of the run, what was wrong with it. */
  violations: { seed: number; wrong: string[]; history: string[] }[]
}

/** The seed of a run of its own, which repeats it alone. */
function seedOfRun(seed: number, run: number): number {
  return run === 0 ? seed : chanceOf(seed, run).whole(1_000_000_000)
}

/** Graduates an application again and again while it writes, reads and everything fails, and says what was lost. */
export async function chaosGraduate(request: GraduateChaosRequest): Promise<GraduateChaosResult> {
  const { runs, seed, variant, withinMs = Infinity, onRun, signal } = request
  const started = Date.now()
  const state = join(import.meta.dirname, '../../../.outgrow')
  mkdirSync(state, { recursive: true })
  const folder = mkdtempSync(join(state, 'chaos-'))
  const result: GraduateChaosResult = { seed, runs: 0, kills: 0, operations: 0, violations: [] }
  await using server = await startServer()
  for (let run = 0; run < runs; run++) {
    if (signal?.aborted || Date.now() - started > withinMs) break
    const plan = planOf(seedOfRun(seed, run))
    const ran = await runPlan(plan, server, join(folder, String(plan.seed)), variant).catch(
      (error: unknown): RunResult => ({
        kills: 0,
        operations: 0,
        wrong: [`the run ended: ${String((error as Error).stack)}`],
        history: [],
        ms: 0,
      }),
    )
    result.runs++
    result.kills += ran.kills
    result.operations += ran.operations
    if (ran.wrong.length > 0)
      result.violations.push({ seed: plan.seed, wrong: ran.wrong, history: ran.history })
    onRun?.(plan, ran)
  }
  if (readdirSync(folder).length === 0) rmSync(folder, { recursive: true, force: true })
  return result
}
