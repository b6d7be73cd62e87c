import * as fc from 'fast-check'
import { openArena, type Arena } from './arena.ts'
import type { Backend } from '@outgrow/testing'
import { chancesOf, everyPoint, lives, type Lifecycle, type Subject } from './lifecycle.ts'
import { runLifecycle } from './run-lifecycle.ts'
import type { Variant } from './variants.ts'

export interface ChaosRequest {
  database: Backend
  runs: number
  seed: number
  variant: Variant
  /** What the lives are about; by default everything, after one in which somebody dies at every point. */
  about?: readonly Subject[] | undefined
  /** Of the points, where somebody dies at every one: every nth. */
  everyNth?: number | undefined
  /** One that is open already; it stays open. */
  arena?: Arena
  /** Ends with the first life that shows something. */
  untilFound?: boolean
  onRun?(run: number, violations: string[]): void
  signal?: AbortSignal
}

export interface ChaosResult {
  database: string
  variant: Variant
  seed: number
  runs: number
  /** By what the lives were about. */
  lives: Record<string, number>
  /** By their kind. */
  steps: Record<string, number>
  deliveries: number
  /** Messages that went out, repeats too. */
  sent: number
  /** Calls that Stripe refused for there were too many. */
  refusals: number
  /** Processes that died, by what and where. */
  kills: Record<string, number>
  /** By the number of the run, what was wrong after it. */
  violations: { run: number; about: string; wrong: string[] }[]
}

/** Lives `runs` random lives, the same for the same seed, and tells what was wrong after each. */
export async function chaos(request: ChaosRequest): Promise<ChaosResult> {
  const { database, seed, variant } = request
  const arena = request.arena ?? (await openArena(database, chancesOf(seed)))
  try {
    await arena.use(variant)
    return await live(arena, request)
  } finally {
    if (!request.arena) await arena.close()
  }
}

async function live(
  arena: Arena,
  { database, runs, seed, variant, about, everyNth, untilFound, onRun, signal }: ChaosRequest,
): Promise<ChaosResult> {
  const result: ChaosResult = {
    database,
    variant,
    seed,
    runs: 0,
    lives: {},
    steps: {},
    deliveries: 0,
    sent: 0,
    refusals: 0,
    kills: {},
    violations: [],
  }
  arena.deaths.clear()
  const all = fc.sample(lives(about), { numRuns: runs, seed })
  if (about === undefined) all.unshift(everyPoint(seed, everyNth))
  for (const [run, life] of all.entries()) {
    if (signal?.aborted) break
    const lived = await runLifecycle(arena, variant, life, `r${arena.lives++}x`)
    result.runs++
    count(result, life)
    result.deliveries += lived.deliveries
    result.sent += lived.sent
    result.refusals += lived.refusals
    const { violations } = lived
    if (violations.length > 0) result.violations.push({ run, about: life.about, wrong: violations })
    onRun?.(run, violations)
    if (untilFound && violations.length > 0) break
  }
  result.kills = Object.fromEntries([...arena.deaths].toSorted(([a], [b]) => (a < b ? -1 : 1)))
  return result
}

function count({ lives, steps }: ChaosResult, life: Lifecycle): void {
  lives[life.about] = (lives[life.about] ?? 0) + 1
  for (const { kind } of life.steps) steps[kind] = (steps[kind] ?? 0) + 1
}
