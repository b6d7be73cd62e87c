import * as fc from 'fast-check'

/** One thing that happens, to one of a run's accounts. */
export type Step =
  | { kind: 'subscribe'; account: number; plan: string; trial: boolean }
  | { kind: 'two-checkouts'; account: number }
  | { kind: 'card'; account: number; fails: boolean }
  | { kind: 'advance'; days: number }
  | { kind: 'pay-owed' | 'cancel-now' | 'cancel-later' | 'keep' | 'pause' | 'resume'; account: number }
  | { kind: 'change-plan'; account: number; plan: string }
  | { kind: 'touch'; account: number }
  | { kind: 'refund' | 'dispute' | 'close-dispute' | 'delete-customer'; account: number }
  | { kind: 'app-cancel' | 'app-resume' | 'app-change'; account: number }
  | { kind: 'fault'; status: 429 | 500; times: number }
  | { kind: 'slow'; ms: number }
  | { kind: 'kill-worker' }

/** A whole life: what happens in which order, and the seed of everything that is left to chance on the way. */
export interface Lifecycle {
  accounts: number
  steps: Step[]
  /** Whether deliveries may be lost. */
  drops: boolean
  seed: number
}

const account = fc.nat({ max: 2 })
const plan = fc.constantFrom('pro', 'team')
const of = <Kind extends string>(...kinds: Kind[]) => fc.record({ kind: fc.constantFrom(...kinds), account })

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record({ kind: fc.constant('subscribe' as const), account, plan, trial: fc.boolean() }),
  },
  { weight: 1, arbitrary: of('two-checkouts') },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('card' as const), account, fails: fc.boolean() }) },
  {
    weight: 5,
    arbitrary: fc.record({ kind: fc.constant('advance' as const), days: fc.constantFrom(1, 4, 15, 31) }),
  },
  { weight: 4, arbitrary: of('pay-owed', 'cancel-now', 'cancel-later', 'keep', 'pause', 'resume') },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('change-plan' as const), account, plan }) },
  { weight: 3, arbitrary: of('touch') },
  { weight: 2, arbitrary: of('refund', 'dispute', 'close-dispute') },
  { weight: 1, arbitrary: of('delete-customer') },
  { weight: 2, arbitrary: of('app-cancel', 'app-resume', 'app-change') },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant('fault' as const),
      status: fc.constantFrom(429 as const, 500 as const),
      times: fc.integer({ min: 1, max: 3 }),
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('slow' as const), ms: fc.constantFrom(0, 5, 20) }) },
  { weight: 1, arbitrary: fc.constant({ kind: 'kill-worker' as const }) },
)

export const lifecycle: fc.Arbitrary<Lifecycle> = fc.record({
  accounts: fc.integer({ min: 1, max: 3 }),
  steps: fc.array(step, { minLength: 4, maxLength: 24 }),
  drops: fc.boolean(),
  seed: fc.integer({ min: 1, max: 0x7fffffff }),
})

/** Numbers from 0 to 1 by a seed (mulberry32): the same chances for the same seed. */
export function chancesOf(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296
  }
}
