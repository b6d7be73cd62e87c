import type { DiePoint } from '../../../packages/graduate/src/die-at.ts'
import { chanceOf, type Chance } from './chance.ts'
import { rawKinds, type ApplicationKind } from './sides.ts'

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

export type PhaseCommand = 'graduate' | 'rollback' | 'complete' | 'cancel'

/** A command that is tried until it has done its work. */
export interface Phase {
  command: PhaseCommand
  attempts: Attempt[]
}

export interface RunPlan {
  seed: number
  writers: ApplicationKind[]
  readers: ApplicationKind[]
  /** Whether the application goes on in Postgres. */
  goesOn: boolean
  /** What is done one after the other; the last attempt of each is left alone. */
  phases: Phase[]
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
const holding: Record<PhaseCommand, DiePoint[]> = {
  graduate: ['held', 'before-postgres-commit', 'between-commits'],
  rollback: ['back-held', 'back-before-postgres-commit', 'back-between-commits'],
  complete: ['archived'],
  cancel: ['target-dropped'],
}

const pointsOf: Record<PhaseCommand, DiePoint[]> = {
  graduate: points,
  rollback: ['back-applied', 'back-after-commit', ...holding.rollback],
  complete: ['archived', 'tombstone-placed', 'authority-completed'],
  cancel: ['target-dropped'],
}

/** What comes after the first switch, where the application goes on. */
const sequels: (readonly [number, readonly PhaseCommand[]])[] = [
  [5, []],
  [2, ['rollback']],
  [3, ['rollback', 'graduate']],
  [1, ['rollback', 'cancel']],
  [2, ['complete']],
  [1, ['rollback', 'graduate', 'complete']],
]

export function planOf(seed: number): RunPlan {
  const chance = chanceOf(seed)
  const goesOn = chance.is(0.65)
  // Who uses the facade goes on by itself.
  const kinds: ApplicationKind[] = goesOn ? [...rawKinds, 'facade', 'facade'] : [...rawKinds]
  const writers = Array.from({ length: 2 + chance.whole(3) }, () => chance.one(kinds))
  const sequel = goesOn ? chance.weighted(sequels) : []
  return {
    seed,
    writers,
    readers: Array.from({ length: 1 + chance.whole(2) }, () => chance.one(kinds)),
    goesOn,
    phases: (['graduate', ...sequel] as const).map((command, at) => ({
      command,
      attempts: [
        ...Array.from({ length: at === 0 ? chance.weighted(often) : chance.whole(2) }, () =>
          command === 'graduate' && at === 0 ? attemptOf(chance) : laterAttemptOf(chance, command),
        ),
        { is: 'plain' as const },
      ],
    })),
    kills: Array.from({ length: chance.whole(4) }, () => ({
      writer: chance.whole(writers.length),
      afterMs: 300 + chance.whole(6000),
    })),
    fullShare: chance.is(0.25) ? 0.05 : 0,
  }
}

const often: [number, number][] = [
  [1, 0],
  [4, 1],
  [3, 2],
  [1, 3],
]

function outageOf(chance: Chance): Outage {
  return chance.is(0.5)
    ? { is: 'restart', how: chance.one(['immediate', 'kill']), forMs: chance.whole(1500) }
    : { is: 'cut', how: chance.one(['reset', 'stall']), forMs: 200 + chance.whole(3000) }
}

/** What can happen to any command. */
function laterAttemptOf(chance: Chance, command: PhaseCommand): Attempt {
  const afterMs = 500 + chance.whole(2000)
  return chance.weighted<() => Attempt>([
    [5, () => ({ is: 'die', at: chance.one(pointsOf[command]), times: 1 })],
    [
      3,
      () => ({
        is: 'stop',
        at: chance.one(holding[command]),
        times: 1,
        forMs: 200 + chance.whole(2000),
        meanwhile: chance.is(0.6) ? outageOf(chance) : undefined,
      }),
    ],
    [2, () => ({ is: 'kill', afterMs })],
    [2, () => ({ is: 'outage', afterMs, outage: outageOf(chance) })],
    [1, () => ({ is: 'twice', afterMs })],
  ])()
}

function attemptOf(chance: Chance): Attempt {
  const afterMs = 500 + chance.whole(3500)
  return chance.weighted<() => Attempt>([
    [8, () => ({ is: 'die', at: chance.one(points), times: chance.is(0.7) ? 1 : 1 + chance.whole(4) })],
    [
      4,
      () => ({
        is: 'stop',
        at: chance.one(holding.graduate),
        times: 1,
        forMs: 200 + chance.whole(2500),
        meanwhile: chance.is(0.6) ? outageOf(chance) : undefined,
      }),
    ],
    [3, () => ({ is: 'kill', afterMs })],
    [4, () => ({ is: 'outage', afterMs, outage: outageOf(chance) })],
    [2, () => ({ is: 'full', kilobytes: 100 + chance.whole(3000) })],
    [1, () => ({ is: 'twice', afterMs })],
    [1, () => ({ is: 'rehearse', times: 1 + chance.whole(3) })],
    [2, () => ({ is: 'cancel', dies: chance.is(0.4) })],
    [1, () => ({ is: 'manual' })],
    [1, () => ({ is: 'schema-change', how: chance.one(['vacuum', 'index']), afterMs })],
  ])()
}
