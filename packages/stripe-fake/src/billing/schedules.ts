import type { Stripe } from 'stripe'
import { ApiError } from '../api/errors.ts'
import type { Seconds } from '../clock.ts'
import type { Emitter } from '../emitter.ts'
import { phaseObject, scheduleObject } from '../objects/schedule.ts'
import type { Store, SubscriptionState } from '../store.ts'
import { changeItems, type ProrationBehavior } from './change-items.ts'
import { checkDiscount, isRedeemable, redeem, type DiscountRequest } from './discounts.ts'
import { addPeriods, lastPeriodEnd } from './periods.ts'
import type { ItemChange } from './plan-items.ts'
import { cancelNow } from './renewal.ts'
import { hasEnded } from './statuses.ts'

export interface PhaseRequest {
  startDate?: Seconds | 'now' | undefined
  endDate?: Seconds | 'now' | undefined
  duration?: { interval: 'day' | 'week' | 'month' | 'year'; count: number } | undefined
  items: { price: string; quantity: number }[]
  prorationBehavior?: ProrationBehavior | undefined
  discounts?: Stripe.SubscriptionSchedule.Phase.Discount[] | undefined
  metadata?: Record<string, string> | undefined
}

export type ScheduleEnd = 'cancel' | 'release'

/** A schedule of a subscription that runs: one phase, which is what it has now. */
export function scheduleFrom(
  store: Store,
  emit: Emitter,
  { object }: SubscriptionState,
  metadata: Record<string, string>,
): Stripe.SubscriptionSchedule {
  if (object.schedule !== null) {
    throw new ApiError(
      400,
      `You cannot migrate a subscription that is already attached to a schedule: ${object.schedule as string}.`,
    )
  }
  if (object.status === 'paused' || hasEnded({ object })) {
    throw new ApiError(400, `You cannot migrate a subscription that is ${object.status} to a schedule.`)
  }
  const phase = phaseObject({
    start: object.items.data[0]?.current_period_start ?? store.now,
    end: lastPeriodEnd(object),
    items: itemsOf(object),
    currency: object.currency,
    prorationBehavior: 'create_prorations',
    discounts: object.discounts.map((discount) => ({
      coupon: null,
      discount: discount as string,
      promotion_code: null,
    })),
    metadata: {},
    trialEnd: object.status === 'trialing' ? object.trial_end : null,
  })
  const schedule = scheduleObject(store.id('sub_sched'), store.now, {
    customer: object.customer,
    end_behavior: object.cancel_at === null ? 'release' : 'cancel',
    phases: [phase],
    status: 'active',
    subscription: object.id,
    metadata,
  })
  showPhase(store, schedule)
  store.schedules.set(schedule.id, schedule)
  object.schedule = schedule.id
  emit('subscription_schedule.created', schedule)
  emit('customer.subscription.updated', object)
  return schedule
}

/** New phases: the running one begins where it began, each other where the one before it ends. */
export function updateSchedule(
  store: Store,
  emit: Emitter,
  schedule: Stripe.SubscriptionSchedule,
  change: {
    phases?: PhaseRequest[] | undefined
    endBehavior?: ScheduleEnd | undefined
    /** For what the running phase changes at once; the phase's own by default. */
    prorationBehavior?: ProrationBehavior | undefined
    metadata?: Stripe.Metadata
  },
): void {
  refuseDone(schedule)
  const phases = change.phases && phasesOf(store, schedule, change.phases)
  if (change.endBehavior !== undefined) schedule.end_behavior = change.endBehavior
  if (change.metadata !== undefined) schedule.metadata = change.metadata
  if (phases !== undefined) {
    const state = store.subscription(schedule.subscription as string)
    schedule.phases = phases
    showPhase(store, schedule)
    const current = currentPhase(store, schedule)
    if (current) enterPhase(store, emit, state, current, change.prorationBehavior)
  }
  emit('subscription_schedule.updated', schedule)
}

function phasesOf(
  store: Store,
  schedule: Stripe.SubscriptionSchedule,
  requests: PhaseRequest[],
): Stripe.SubscriptionSchedule.Phase[] {
  const running = currentPhase(store, schedule)
  let start = running?.start_date ?? store.now
  return requests.map((request, at) => {
    const refuse = (message: string, name: string) =>
      new ApiError(400, message, { param: `phases[${at}][${name}]` })
    const asked = request.startDate === 'now' ? store.now : request.startDate
    if (at === 0 && running && asked === undefined)
      throw refuse('The phase that runs must be given with its start_date.', 'start_date')
    if (asked !== undefined && asked !== start && !(at === 0 && asked === store.now))
      throw refuse('A phase must start where the one before it ends.', 'start_date')
    const prices = request.items.map(({ price }) => store.price(price))
    const [price] = prices
    if (!price) throw refuse('A phase needs at least one item.', 'items')
    const isLast = at === requests.length - 1
    const end = phaseEnd(store, request, asked ?? start, price)
    if (end === undefined && !isLast)
      throw refuse('Every phase but the last needs an end_date or a duration.', 'end_date')
    for (const discount of request.discounts ?? [])
      checkDiscount(store, schedule.customer as string, requestOf(discount))
    const phase = phaseObject({
      start: asked ?? start,
      end: end ?? addPeriods(asked ?? start, price, 1),
      items: request.items,
      currency: price.currency,
      prorationBehavior: request.prorationBehavior ?? 'create_prorations',
      discounts: request.discounts ?? [],
      metadata: request.metadata ?? {},
      trialEnd: null,
    })
    if (phase.end_date <= phase.start_date) throw refuse('A phase must end after it starts.', 'end_date')
    start = phase.end_date
    return phase
  })
}

function phaseEnd(
  store: Store,
  request: PhaseRequest,
  start: Seconds,
  price: Stripe.Price,
): Seconds | undefined {
  const { endDate, duration } = request
  if (endDate !== undefined) return endDate === 'now' ? store.now : endDate
  if (duration === undefined) return undefined
  const { interval, count } = duration
  const recurring = { ...(price.recurring as Stripe.Price.Recurring), interval, interval_count: 1 }
  return addPeriods(start, { ...price, recurring }, count)
}

/** What the clock does at the end of a phase. */
export function leavePhase(
  store: Store,
  emit: Emitter,
  state: SubscriptionState,
  schedule: Stripe.SubscriptionSchedule,
): void {
  showPhase(store, schedule)
  const next = currentPhase(store, schedule)
  if (next) {
    // A phase that names no discounts has none.
    state.object.discounts = []
    enterPhase(store, emit, state, next)
    emit('subscription_schedule.updated', schedule)
    return
  }
  if (schedule.end_behavior === 'release') return releaseSchedule(store, emit, schedule)
  schedule.status = 'completed'
  schedule.completed_at = store.now
  state.object.schedule = null
  emit('subscription_schedule.completed', schedule)
  cancelNow(store, emit, state)
}

function enterPhase(
  store: Store,
  emit: Emitter,
  state: SubscriptionState,
  phase: Stripe.SubscriptionSchedule.Phase,
  prorationBehavior = phase.proration_behavior as ProrationBehavior,
): void {
  const { object } = state
  const changes = changesTo(object, phase)
  if (phase.discounts.length > 0) {
    object.discounts = []
    // One that has expired since is left out.
    redeem(store, emit, object, phase.discounts.map(requestOf).filter(isRedeemable(store, object)))
  }
  object.metadata = { ...object.metadata, ...phase.metadata }
  if (changes.length === 0) return
  changeItems(store, emit, state, { changes, prorationBehavior })
  emit('customer.subscription.updated', object)
}

function requestOf({
  coupon,
  discount,
  promotion_code: code,
}: Stripe.SubscriptionSchedule.Phase.Discount): DiscountRequest {
  return {
    discount: (discount as string | null) ?? undefined,
    coupon: (coupon as string | null) ?? undefined,
    promotion_code: (code as string | null) ?? undefined,
  }
}

/** Items keep their ids from first to last; what is too many goes, what is missing comes. */
function changesTo(
  { items: { data } }: Stripe.Subscription,
  { items }: Stripe.SubscriptionSchedule.Phase,
): ItemChange[] {
  const wanted = items.map(({ price, quantity = 1 }, at) => ({
    id: data[at]?.id,
    price: price as string,
    quantity,
  }))
  const gone = data.slice(items.length).map(({ id }) => ({ id, deleted: true }))
  return [...wanted, ...gone].filter((change) => {
    const item = data.find(({ id }) => id === change.id)
    return 'deleted' in change || item?.price.id !== change.price || item.quantity !== change.quantity
  })
}

export function releaseSchedule(store: Store, emit: Emitter, schedule: Stripe.SubscriptionSchedule): void {
  refuseDone(schedule)
  const id = schedule.subscription as string
  const { object } = store.subscription(id)
  Object.assign(schedule, {
    current_phase: null,
    released_at: store.now,
    released_subscription: id,
    status: 'released',
    subscription: null,
  } satisfies Partial<Stripe.SubscriptionSchedule>)
  object.schedule = null
  emit('subscription_schedule.released', schedule)
  emit('customer.subscription.updated', object)
}

/** A change made at the subscription itself is a change of the phase that runs. */
export function followSubscription(store: Store, emit: Emitter, object: Stripe.Subscription): void {
  const schedule = store.scheduleOf(object)
  const phase = schedule && currentPhase(store, schedule)
  if (!schedule || !phase) return
  const { items } = phaseObject({
    start: phase.start_date,
    end: phase.end_date,
    items: itemsOf(object),
    currency: phase.currency,
    prorationBehavior: phase.proration_behavior,
    discounts: [],
    metadata: {},
    trialEnd: null,
  })
  phase.items = items
  emit('subscription_schedule.updated', schedule)
}

function itemsOf({ items }: Stripe.Subscription): { price: string; quantity: number }[] {
  return items.data.map(({ price, quantity }) => ({ price: price.id, quantity: quantity ?? 1 }))
}

function currentPhase(
  store: Store,
  { phases }: Stripe.SubscriptionSchedule,
): Stripe.SubscriptionSchedule.Phase | undefined {
  return phases.find(({ start_date: start, end_date: end }) => start <= store.now && store.now < end)
}

function showPhase(store: Store, schedule: Stripe.SubscriptionSchedule): void {
  const phase = currentPhase(store, schedule)
  schedule.current_phase = phase ? { start_date: phase.start_date, end_date: phase.end_date } : null
}

export function refuseDone({ id, status }: Stripe.SubscriptionSchedule): void {
  if (status === 'active' || status === 'not_started') return
  throw new ApiError(400, `The subscription schedule \`${id}\` is ${status} and cannot be changed.`, {
    code: 'resource_state_invalid',
  })
}
