import type { Stripe } from 'stripe'
import { Failure } from '@outgrow/kit'
import type { ChangeContext } from './change.ts'
import type { LiveSubscription } from './live-subscription.ts'

/** What tells the schedules that are made here from an operator's. */
const ours = { outgrow: 'plan-change' }

export interface PlanLine {
  priceId: string
  quantity: number
}

/** What a schedule does next; undefined when its last phase has begun. */
export function nextPhaseOf(
  schedule: Stripe.SubscriptionSchedule | null,
): Stripe.SubscriptionSchedule.Phase | undefined {
  const current = schedule?.current_phase
  return current ? schedule?.phases.find(({ start_date: start }) => start >= current.end_date) : undefined
}

/** Whether a schedule was made here, or does nothing: then another change may take its place. A single phase can be a term. */
export function isOurs({ metadata, phases, end_behavior: end }: Stripe.SubscriptionSchedule): boolean {
  return metadata?.outgrow === ours.outgrow || (phases.length === 1 && end === 'release')
}

/**
 * Gives up what was planned for a subscription: the next phase of its schedule, and an upgrade that waits for a payment.
 * @returns whether there was anything
 */
export async function dropPlannedChange(
  { stripe, key }: Pick<ChangeContext, 'stripe' | 'key'>,
  { id, schedule, pending_update: waiting, latest_invoice: invoice }: LiveSubscription,
): Promise<boolean> {
  if (schedule) await stripe.subscriptionSchedules.release(schedule.id, {}, key('release'))
  if (waiting && invoice?.status === 'open') {
    try {
      await stripe.invoices.voidInvoice(invoice.id, {}, key('void'))
    } catch (error) {
      if ((error as { type?: string }).type !== 'StripeInvalidRequestError') throw error
      throw new Failure({
        code: 'OUTGROW_BILLING_CHANGED',
        message: `An earlier change of subscription ${id} was paid a moment ago.`,
        fix: 'Show the account’s state again.',
        cause: error,
      })
    }
  }
  return schedule !== null || waiting !== null
}

/**
 * What a schedule or an open upgrade would make wrong waits until it is taken back.
 * @throws Failure OUTGROW_BILLING_PLANNED
 */
export function refusePlanned({ id, schedule, pending_update: waiting }: LiveSubscription): void {
  if (!nextPhaseOf(schedule) && !waiting) return
  throw new Failure({
    code: 'OUTGROW_BILLING_PLANNED',
    message: `A change of subscription ${id} is ${waiting ? 'waiting for its payment' : 'scheduled'}.`,
    why: 'It would be lost, or made at the wrong time.',
    fix: 'Take it back with takeBackChange first.',
  })
}

/**
 * An operator's schedule is not a customer's to change.
 * @throws Failure OUTGROW_BILLING_UNCHANGEABLE
 */
export function refuseOthersSchedule({ id, schedule }: LiveSubscription): void {
  if (!schedule || isOurs(schedule)) return
  throw new Failure({
    code: 'OUTGROW_BILLING_UNCHANGEABLE',
    message: `Subscription ${id} has a schedule that was not made here.`,
    fix: 'Change it in Stripe’s dashboard.',
  })
}

/**
 * Schedules another plan or quantity for the end of what is paid. The subscription's other items, discounts and tax rates
 * stay, those of its items too: a phase that does not name them would drop them.
 */
export async function planChange(
  { stripe, key }: Pick<ChangeContext, 'stripe' | 'key'>,
  subscription: LiveSubscription,
  item: Stripe.SubscriptionItem,
  wanted: PlanLine & Pick<Stripe.Price, 'recurring'>,
): Promise<Date> {
  // One that a crash left behind has the phase of now, and ends by itself.
  const schedule =
    subscription.schedule ??
    (await stripe.subscriptionSchedules.create({ from_subscription: subscription.id }, key('schedule')))
  const current = schedule.current_phase
  if (!current) throw new Error(`schedule ${schedule.id} has no current phase`)
  const kept = {
    ...(subscription.discounts.length > 0 && {
      discounts: subscription.discounts.map(({ id }) => ({ discount: id })),
    }),
    ...(subscription.default_tax_rates?.length && {
      default_tax_rates: subscription.default_tax_rates.map(idOf),
    }),
    proration_behavior: 'none' as const,
  }
  const at = item.current_period_end
  await stripe.subscriptionSchedules.update(
    schedule.id,
    {
      end_behavior: 'release',
      metadata: ours,
      proration_behavior: 'none',
      phases: [
        {
          ...kept,
          items: subscription.items.map(lineOf),
          start_date: current.start_date,
          end_date: at,
        },
        {
          ...kept,
          items: subscription.items.map((one) =>
            one.id === item.id
              ? { ...lineOf(one), price: wanted.priceId, quantity: wanted.quantity }
              : lineOf(one),
          ),
          duration: {
            interval: wanted.recurring?.interval ?? 'month',
            interval_count: wanted.recurring?.interval_count ?? 1,
          },
        },
      ],
    },
    key('phases'),
  )
  return new Date(at * 1000)
}

function lineOf({ price, quantity, tax_rates: taxes, discounts, metadata }: Stripe.SubscriptionItem) {
  return {
    price: price.id,
    quantity: quantity ?? 1,
    ...(discounts.length > 0 && { discounts: discounts.map((one) => ({ discount: idOf(one) })) }),
    ...(Object.keys(metadata).length > 0 && { metadata }),
    ...(taxes?.length && { tax_rates: taxes.map(idOf) }),
  }
}

function idOf(object: string | { id: string }): string {
  return typeof object === 'string' ? object : object.id
}
