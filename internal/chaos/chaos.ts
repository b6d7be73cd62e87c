import * as fc from 'fast-check'
import type { Backend } from '@outgrow/testing'
import { openArena } from './arena.ts'
import { chancesOf, lifecycle } from './lifecycle.ts'
import { runLifecycle } from './run-lifecycle.ts'
import type { Variant } from './variants.ts'

export interface ChaosRequest {
  database: Backend
  runs: number
  seed: number
  variant: Variant
  onRun?(run: number, violations: string[]): void
  signal?: AbortSignal
}

export interface ChaosResult {
  database: string
  variant: Variant
  seed: number
  runs: number
  steps: number
  deliveries: number
  kills: number
  /** By the number of the run, what was wrong after it. */
  violations: { run: number; wrong: string[] }[]
}

/** Lives `runs` random lives, the same for the same seed, and tells what was wrong after each. */
export async function chaos({
  database,
  runs,
  seed,
  variant,
  onRun,
  signal,
}: ChaosRequest): Promise<ChaosResult> {
  const lives = fc.sample(lifecycle, { numRuns: runs, seed })
  const arena = await openArena(database, variant, chancesOf(seed))
  const result: ChaosResult = {
    database,
    variant,
    seed,
    runs: 0,
    steps: 0,
    deliveries: 0,
    kills: 0,
    violations: [],
  }
  try {
    for (const [run, life] of lives.entries()) {
      if (signal?.aborted) break
      const { deliveries, violations } = await runLifecycle(arena, variant, life, `r${run}x`)
      result.runs++
      result.steps += life.steps.length
      result.deliveries += deliveries
      if (violations.length > 0) result.violations.push({ run, wrong: violations })
      onRun?.(run, violations)
    }
    result.kills = arena.kills
    return result
  } finally {
    await arena.close()
  }
}
