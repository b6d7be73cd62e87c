import * as fc from 'fast-check'
import { changePoints, pagePoints, workerPoints, type ApplicationPoint, type WorkerPoint } from './points.ts'

/** Where the application dies on the way, if it does: the `times`th time that it comes to the point. */
export type Death = { point: ApplicationPoint; times: number } | null

const changes = ['cancel-now', 'cancel-later', 'resume', 'pause', 'change', 'seats', 'take-back'] as const
export type ApplicationChange = (typeof changes)[number]

/** One thing that happens, to one of a life's accounts. */
export type Step =
  | { kind: 'subscribe'; account: number; plan: string; trial: boolean }
  | { kind: 'two-checkouts'; account: number }
  | { kind: 'open-page'; account: number; plan: string; death: Death }
  | { kind: 'two-tabs' | 'buy-twice'; account: number; plan: string; other: string }
  | { kind: 'pay-page' | 'decline-page'; account: number; page: number }
  | { kind: 'card'; account: number; fails: boolean }
  | { kind: 'advance'; days: number }
  | { kind: 'pay-owed' | 'cancel-now' | 'cancel-later' | 'keep' | 'pause' | 'resume'; account: number }
  | { kind: 'change-plan'; account: number; plan: string }
  | { kind: 'touch'; account: number }
  | { kind: 'refund' | 'dispute' | 'close-dispute' | 'delete-customer'; account: number }
  | { kind: 'change'; account: number; change: ApplicationChange; plan: string; death: Death }
  | { kind: 'two-changes'; account: number; changes: [ApplicationChange, ApplicationChange]; plan: string }
  | { kind: 'fault'; status: 429 | 500; times: number }
  | { kind: 'storm'; limit: number | undefined }
  | { kind: 'flood'; account: number }
  | { kind: 'clock'; worker: number; minutes: number }
  | { kind: 'cut-off'; worker: number }
  | { kind: 'slow'; ms: number }
  | { kind: 'kill-worker'; worker: number }
  | { kind: 'kill-at'; worker: number; point: WorkerPoint; times: number }
  /** Until somebody has died there. */
  | { kind: 'die-at'; point: WorkerPoint }
  | { kind: 'die-changing'; account: number; point: ApplicationPoint }
  | { kind: 'die-selling'; account: number; point: ApplicationPoint }

/** A whole life: what happens in which order, and the seed of everything that is left to chance on the way. */
export interface Lifecycle {
  /** What this life is mostly about. */
  about: Subject | 'every point'
  accounts: number
  steps: Step[]
  /** Whether deliveries may be lost. */
  drops: boolean
  seed: number
}

const account = fc.nat({ max: 2 })
/** Mostly the same one. */
const buyer = fc.constantFrom(0, 0, 0, 1)
const worker = fc.nat({ max: 2 })
const plan = fc.constantFrom('pro', 'team')
const days = fc.constantFrom(1, 4, 15, 31)
const change = fc.constantFrom(...changes)
const point = fc.constantFrom(...workerPoints)
const is = <const Value>(value: Value) => fc.constant(value)
const of = <Kind extends string>(...kinds: Kind[]) => fc.record({ kind: fc.constantFrom(...kinds), account })

const deathAt = (points: readonly ApplicationPoint[]): fc.Arbitrary<Death> =>
  fc.option(fc.record({ point: fc.constantFrom(...points), times: fc.constantFrom(1, 1, 1, 2) }), {
    freq: 2,
  })
const alive = fc.constant<Death>(null)

type Weighted = { weight: number; arbitrary: fc.Arbitrary<Step> }
const often = (weight: number, arbitrary: fc.Arbitrary<Step>): Weighted => ({ weight, arbitrary })

/** What happens in the customers' lives. */
const living: Weighted[] = [
  often(5, fc.record({ kind: is('subscribe'), account, plan, trial: fc.boolean() })),
  often(1, of('two-checkouts')),
  often(3, fc.record({ kind: is('card'), account, fails: fc.boolean() })),
  often(5, fc.record({ kind: is('advance'), days })),
  often(4, of('pay-owed', 'cancel-now', 'cancel-later', 'keep', 'pause', 'resume')),
  often(3, fc.record({ kind: is('change-plan'), account, plan })),
  often(3, of('touch')),
  often(2, of('refund', 'dispute', 'close-dispute')),
  often(1, of('delete-customer')),
  often(2, fc.record({ kind: is('change'), account, change, plan, death: alive })),
  often(2, fc.record({ kind: is('open-page'), account, plan, death: alive })),
  often(
    2,
    fc.record({ kind: fc.constantFrom('pay-page', 'decline-page'), account, page: fc.nat({ max: 3 }) }),
  ),
]

/** What goes wrong around them. */
const trouble: Weighted[] = [
  often(
    1,
    fc.record({
      kind: is('fault'),
      status: fc.constantFrom(429 as const, 500 as const),
      times: fc.integer({ min: 1, max: 3 }),
    }),
  ),
  often(1, fc.record({ kind: is('slow'), ms: fc.constantFrom(0, 5, 20) })),
  often(1, fc.record({ kind: is('kill-worker'), worker })),
]

/** What a life may be about: what happens in it beside the rest. */
const subjects = {
  /** Everything a little. */
  anything: [],
  /** Answers of Stripe overtake each other on their way. */
  races: [
    often(3, fc.record({ kind: is('slow'), ms: fc.constantFrom(20, 60, 120) })),
    often(6, of('cancel-later', 'keep', 'pause', 'resume', 'cancel-now')),
    often(3, fc.record({ kind: is('change-plan'), account, plan })),
    often(2, fc.record({ kind: is('subscribe'), account, plan, trial: fc.boolean() })),
    often(2, fc.record({ kind: is('clock'), worker, minutes: is(-10) })),
  ],
  /** Workers whose clocks are wrong by ten minutes, and one of them that does not reach Stripe. */
  clocks: [
    often(5, fc.record({ kind: is('clock'), worker, minutes: fc.constantFrom(-10, 0, 10, 10) })),
    often(2, fc.record({ kind: is('cut-off'), worker })),
    often(4, of('touch')),
    often(2, fc.record({ kind: is('slow'), ms: fc.constantFrom(5, 20, 60) })),
  ],
  /** Stripe takes few calls for a while. */
  storm: [
    often(1, fc.record({ kind: is('storm'), limit: fc.constantFrom(0, 1, 3, undefined) })),
    often(5, of('touch')),
  ],
  /** Every customer's events come one after the other, faster than Stripe may be called. */
  rush: [often(40, of('touch'))],
  /** One customer's events come all at once. */
  flood: [often(1, of('flood')), often(2, of('touch'))],
  /** Pages are opened, paid, declined and left, in two tabs, while the application dies. */
  checkout: [
    often(4, fc.record({ kind: is('open-page'), account: buyer, plan, death: deathAt(pagePoints) })),
    often(
      2,
      fc.record({ kind: fc.constantFrom('two-tabs', 'buy-twice'), account: buyer, plan, other: plan }),
    ),
    often(
      6,
      fc.record({
        kind: fc.constantFrom('pay-page', 'pay-page', 'pay-page', 'decline-page'),
        account: buyer,
        page: fc.constantFrom(0, 0, 0, 1),
      }),
    ),
  ],
  /** The application changes subscriptions, and dies on the way. */
  changes: [
    often(4, fc.record({ kind: is('change'), account, change, plan, death: deathAt(changePoints) })),
    often(2, fc.record({ kind: is('two-changes'), account, changes: fc.tuple(change, change), plan })),
    often(2, fc.record({ kind: is('subscribe'), account, plan, trial: fc.boolean() })),
  ],
  /** Who has paid asks for another page before Stripe's events are here. */
  hasty: [often(1, fc.record({ kind: is('buy-twice'), account: buyer, plan, other: plan }))],
  /** Two changes of one subscription are asked for at once. */
  clicks: [
    often(2, fc.record({ kind: is('two-changes'), account, changes: fc.tuple(change, change), plan })),
    often(1, fc.record({ kind: is('subscribe'), account, plan, trial: fc.boolean() })),
  ],
  /** Subscriptions are to end on a date, or go on after all. */
  terms: [often(4, of('cancel-later', 'cancel-later', 'keep')), often(1, of('touch'))],
  /** Workers die in the middle of transactions. */
  crashes: [
    often(3, fc.record({ kind: is('kill-at'), worker, point, times: fc.constantFrom(1, 1, 2, 3) })),
    often(3, of('touch')),
  ],
} satisfies Record<string, Weighted[]>

export type Subject = keyof typeof subjects
export const subjectNames = Object.keys(subjects) as Subject[]

/** A life in which somebody dies at every point there is, or at every nth of them, from which on the seed says. */
export function everyPoint(seed: number, nth = 1): Lifecycle {
  const some = <Point>(points: readonly Point[]) => points.filter((_, at) => (at + seed) % nth === 0)
  return {
    about: 'every point',
    accounts: 2 + pagePoints.length,
    steps: [
      { kind: 'open-page', account: 0, plan: 'pro', death: null },
      ...some(workerPoints).map((point): Step => ({ kind: 'die-at', point })),
      ...some(changePoints).map((point): Step => ({ kind: 'die-changing', account: 0, point })),
      // Each the first purchase of somebody.
      ...some(pagePoints).map((point, at): Step => ({ kind: 'die-selling', account: 2 + at, point })),
    ],
    drops: false,
    seed,
  }
}

/** What lives are about that are about everything. */
const all = subjectNames

/** Lives about one of these. */
export function lives(about: readonly Subject[] = all): fc.Arbitrary<Lifecycle> {
  return fc.oneof(...about.map(lifeAbout))
}

function lifeAbout(about: Subject): fc.Arbitrary<Lifecycle> {
  // Who is judged by order or by count lives without other trouble.
  const isPure = about === 'storm' || about === 'rush' || about === 'flood'
  const rest = [...living, ...(isPure ? [] : trouble)]
  const own = subjects[about]
  const sum = (of: Weighted[]) => of.reduce((total, { weight }) => total + weight, 0)
  // Two of three things that happen are of the subject.
  const scaled = own.map(({ weight, arbitrary }) => ({
    weight: Math.round((weight * 2 * sum(rest)) / sum(own)),
    arbitrary,
  }))
  const subscribes = fc.record({ kind: is('subscribe'), account: fc.constant(0), plan, trial: fc.boolean() })
  const first: fc.Arbitrary<Step[]> =
    about === 'storm'
      ? fc.tuple(fc.record({ kind: is('storm'), limit: fc.constantFrom(0, 1, 2) }), subscribes)
      : fc.tuple(subscribes)
  return fc.record({
    about: fc.constant(about),
    accounts: fc.integer({ min: about === 'flood' ? 2 : 1, max: 3 }),
    steps: fc
      .tuple(
        first,
        fc.array(fc.oneof(...rest, ...scaled), { minLength: about === 'rush' ? 20 : 4, maxLength: 24 }),
      )
      .map(([first, rest]) => (about === 'anything' || about === 'checkout' ? rest : [...first, ...rest])),
    drops: about === 'flood' ? fc.constant(false) : fc.boolean(),
    seed: fc.integer({ min: 1, max: 0x7fffffff }),
  })
}

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
