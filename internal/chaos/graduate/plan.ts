import type { DiePoint } from '../../../packages/graduate/src/die-at.ts'
import { chanceOf, type Chance } from './chance.ts'
import { rawKinds, type RawKind } from './sides.ts'

/** What happens to the server or to the way there. */
export type Outage =
  | { is: 'restart'; how: 'immediate' | 'kill'; forMs: number }
  | { is: 'cut'; how: 'reset' | 'stall'; forMs: number }

/** What happens to one attempt of the migrator. */
export type Attempt =
  | { is: 'plain' }
  /** Killed when it comes to a point for the nth time. */
  | { is: 'die'; at: DiePoint; times: number }
  /** It stands still at a point, and something happens meanwhile. */
  | { is: 'stop'; at: DiePoint; times: number; forMs: number; meanwhile: Outage | undefined }
  | { is: 'kill'; afterMs: number }
  | { is: 'outage'; afterMs: number; outage: Outage }
  /** No file that it writes may become larger. */
  | { is: 'full'; kilobytes: number }
  | { is: 'twice'; afterMs: number }
  | { is: 'rehearse'; times: number }
  /** It follows until somebody cancels, and may be killed while it does. */
  | { is: 'cancel'; dies: boolean }
  | { is: 'manual' }
  | { is: 'schema-change'; how: 'vacuum' | 'index'; afterMs: number }

export interface RunPlan {
  seed: number
  writers: RawKind[]
  readers: RawKind[]
  /** Whether the application goes on in Postgres. */
  goesOn: boolean
  /** The last one is left alone. */
  attempts: Attempt[]
  /** Which writer is killed, so long after its start. */
  kills: { writer: number; afterMs: number }[]
  /** How often the disk is full for a writer. */
  fullShare: number
}

const points: DiePoint[] = [
  'staged',
  'captured',
  'file-copied',
  'copied',
  'recorded',
  'following',
  'before-apply-commit',
  'applied',
  'pruned',
  'verified',
  'held',
  'before-postgres-commit',
  'between-commits',
  'after-commit',
]

/** Where a migrator that stands still holds the application's writes. */
const holding: DiePoint[] = ['held', 'before-postgres-commit', 'between-commits']

export function planOf(seed: number): RunPlan {
  const chance = chanceOf(seed)
  const writers = Array.from({ length: 2 + chance.whole(3) }, () => chance.one(rawKinds))
  return {
    seed,
    writers,
    readers: Array.from({ length: 1 + chance.whole(2) }, () =>
      chance.one(['immediate', 'creating'] as const),
    ),
    goesOn: chance.is(0.6),
    attempts: [
      ...Array.from(
        {
          length: chance.weighted([
            [1, 0],
            [4, 1],
            [3, 2],
            [1, 3],
          ] as const),
        },
        () => attemptOf(chance),
      ),
      { is: 'plain' },
    ],
    kills: Array.from({ length: chance.whole(4) }, () => ({
      writer: chance.whole(writers.length),
      afterMs: 300 + chance.whole(5000),
    })),
    fullShare: chance.is(0.25) ? 0.05 : 0,
  }
}

function attemptOf(chance: Chance): Attempt {
  const afterMs = 500 + chance.whole(3500)
  const outage = (): Outage =>
    chance.is(0.5)
      ? { is: 'restart', how: chance.one(['immediate', 'kill']), forMs: chance.whole(1500) }
      : { is: 'cut', how: chance.one(['reset', 'stall']), forMs: 200 + chance.whole(3000) }
  return chance.weighted<() => Attempt>([
    [8, () => ({ is: 'die', at: chance.one(points), times: chance.is(0.7) ? 1 : 1 + chance.whole(4) })],
    [
      4,
      () => ({
        is: 'stop',
        at: chance.one(holding),
        times: 1,
        forMs: 200 + chance.whole(2500),
        meanwhile: chance.is(0.6) ? outage() : undefined,
      }),
    ],
    [3, () => ({ is: 'kill', afterMs })],
    [4, () => ({ is: 'outage', afterMs, outage: outage() })],
    [2, () => ({ is: 'full', kilobytes: 100 + chance.whole(3000) })],
    [1, () => ({ is: 'twice', afterMs })],
    [1, () => ({ is: 'rehearse', times: 1 + chance.whole(3) })],
    [2, () => ({ is: 'cancel', dies: chance.is(0.4) })],
    [1, () => ({ is: 'manual' })],
    [1, () => ({ is: 'schema-change', how: chance.one(['vacuum', 'index']), afterMs })],
  ])()
}
