import type { Stripe } from 'stripe'
import type { Api } from '../api/api.ts'
import { isWithin, pageOf } from '../api/page.ts'
import {
  atLeast,
  emptyable,
  flag,
  integer,
  metadata,
  nothing,
  oneOf,
  paging,
  range,
  rows,
  shape,
  text,
  type Fields,
} from '../api/shapes.ts'
import { cancelNow } from '../billing/renewal.ts'
import { refuseDone, releaseSchedule, scheduleFrom, updateSchedule } from '../billing/schedules.ts'
import { mergedMetadata } from '../billing/change-fields.ts'
import type { StripeState } from '../state.ts'
import { known } from '../store.ts'
import { discountRows, now, prorationBehavior } from './subscription-shapes.ts'

type Phase = Stripe.SubscriptionScheduleUpdateParams.Phase

const phaseRows = rows(
  shape({
    start_date: now.or(integer).optional(),
    end_date: now.or(integer).optional(),
    duration: shape({
      interval: oneOf<Stripe.SubscriptionScheduleUpdateParams.Phase.Duration.Interval>()(
        'day',
        'week',
        'month',
        'year',
      ),
      interval_count: atLeast(1).optional(),
    } satisfies Fields<Stripe.SubscriptionScheduleUpdateParams.Phase.Duration>).optional(),
    items: rows(
      shape({
        price: text,
        quantity: atLeast(0).optional(),
      } satisfies Fields<Stripe.SubscriptionScheduleUpdateParams.Phase.Item>),
    ),
    proration_behavior: prorationBehavior.optional(),
    discounts: emptyable(discountRows).optional(),
    metadata: metadata.optional(),
  } satisfies Fields<Phase>),
)

const endBehavior = oneOf<Stripe.SubscriptionScheduleUpdateParams.EndBehavior>()('cancel', 'release')

export function scheduleRoutes({ store, emit }: StripeState, api: Api): void {
  const scheduleOf = (id: string) => known(store.schedules, 'subscription schedule', id)
  api(
    'post',
    '/v1/subscription_schedules',
    shape({
      from_subscription: text,
      metadata: metadata.optional(),
    } satisfies Fields<Stripe.SubscriptionScheduleCreateParams>),
    ({ params }) =>
      scheduleFrom(store, emit, store.subscription(params.from_subscription), params.metadata ?? {}),
  )
  api(
    'get',
    '/v1/subscription_schedules',
    shape({
      ...paging,
      customer: text.optional(),
      scheduled: flag.optional(),
      created: range.optional(),
      canceled_at: range.optional(),
      completed_at: range.optional(),
      released_at: range.optional(),
    } satisfies Fields<Stripe.SubscriptionScheduleListParams>),
    ({ params }) =>
      pageOf(
        store.schedules.values(),
        (one) =>
          (params.customer === undefined || one.customer === params.customer) &&
          (params.scheduled === undefined || (one.status === 'not_started') === params.scheduled) &&
          isWithin(one.created, params.created) &&
          (params.canceled_at === undefined || isWithin(one.canceled_at ?? NaN, params.canceled_at)) &&
          (params.completed_at === undefined || isWithin(one.completed_at ?? NaN, params.completed_at)) &&
          (params.released_at === undefined || isWithin(one.released_at ?? NaN, params.released_at)),
        '/v1/subscription_schedules',
        params,
      ),
  )
  api('get', '/v1/subscription_schedules/:id', nothing, ({ id }) => scheduleOf(id))
  api(
    'post',
    '/v1/subscription_schedules/:id',
    shape({
      phases: phaseRows.optional(),
      end_behavior: endBehavior.optional(),
      metadata: metadata.optional(),
      proration_behavior: prorationBehavior.optional(),
    } satisfies Fields<Stripe.SubscriptionScheduleUpdateParams>),
    ({ id, params }) => {
      const schedule = scheduleOf(id)
      updateSchedule(store, emit, schedule, {
        endBehavior: params.end_behavior,
        prorationBehavior: params.proration_behavior,
        phases: params.phases?.map((phase) => ({
          startDate: phase.start_date,
          endDate: phase.end_date,
          duration: phase.duration && {
            interval: phase.duration.interval,
            count: phase.duration.interval_count ?? 1,
          },
          items: phase.items.map(({ price, quantity = 1 }) => ({ price, quantity })),
          prorationBehavior: phase.proration_behavior,
          discounts: phase.discounts?.map(
            ({ coupon = null, discount = null, promotion_code: code = null }) => ({
              coupon,
              discount,
              promotion_code: code,
            }),
          ),
          metadata: phase.metadata ?? undefined,
        })),
        ...(params.metadata === undefined
          ? {}
          : { metadata: mergedMetadata(schedule.metadata ?? {}, params.metadata) }),
      })
      return schedule
    },
  )
  api('post', '/v1/subscription_schedules/:id/release', nothing, ({ id }) => {
    releaseSchedule(store, emit, scheduleOf(id))
    return scheduleOf(id)
  })
  api('post', '/v1/subscription_schedules/:id/cancel', nothing, ({ id }) => {
    const schedule = scheduleOf(id)
    refuseDone(schedule)
    // Its subscription ends with it.
    cancelNow(store, emit, store.subscription(schedule.subscription as string))
    return schedule
  })
}
