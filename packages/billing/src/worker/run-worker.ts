import { setTimeout as sleep } from 'node:timers/promises'
import { limitCalls } from '../config/call-budget.ts'
import { timeOf, type Billing } from '../context.ts'
import { typesOf } from '../hooks/on-event.ts'
import { byCustomer, processEvents } from './process-events.ts'
import type { EventOutcome } from './put-back.ts'
import { pauseOf } from './rate-limit.ts'
import { sendMessage, type Send } from './send-message.ts'

export interface WorkerOptions<Client = unknown> extends Billing<Client> {
  /** Aborting stops the claiming; what is under way is finished first. */
  signal?: AbortSignal
  /** Customers and messages that are worked on at a time. */
  concurrency?: number
  /** Calls of Stripe that this process may make in a second, for each endpoint (20). All that share the client share them. */
  stripeCallsPerSecond?: number | undefined
  /** Sends an outbox message; without it the outbox waits. */
  send?: Send | undefined
  /** How long an idle worker waits before it looks again. */
  pollMs?: number
  /** How long a claim lasts. Longer than Stripe's slowest answer with its retries. */
  leaseMs?: number
  /** Ends when nothing is left that may be taken now. */
  untilEmpty?: boolean
  /** Hears why the database cannot be worked with now; the worker tries again. */
  onUnavailable?: (error: unknown) => void
  /** Hears each outcome. */
  onOutcome?: (outcome: EventOutcome | 'sent' | 'unsent', id: number) => void
}

/** Events and messages, by what came of them. */
export type WorkerTotals = Record<EventOutcome | 'sent' | 'unsent', number>

/**
 * Drains the inbox and the outbox until the signal aborts. Any number may run, in one process or many.
 * While the database cannot be reached it waits, unless `untilEmpty` asks for an end.
 * @throws what the database throws otherwise
 */
export async function runWorker<Client>(options: WorkerOptions<Client>): Promise<WorkerTotals> {
  const {
    store,
    signal,
    concurrency = 4,
    send,
    pollMs = 500,
    leaseMs = 120_000,
    untilEmpty = false,
  } = options
  limitCalls(options.stripe, options.stripeCallsPerSecond)
  const totals: WorkerTotals = {
    applied: 0,
    superseded: 0,
    ignored: 0,
    failed: 0,
    limited: 0,
    dead: 0,
    sent: 0,
    unsent: 0,
  }
  const running = new Set<Promise<void>>()
  let turn = 0
  let failure: { error: unknown } | undefined
  const report = (outcome: EventOutcome | 'sent' | 'unsent', id: number) => {
    totals[outcome]++
    options.onOutcome?.(outcome, id)
  }
  const guard = async (work: Promise<void>) => {
    try {
      await work
    } catch (error) {
      // What came of it could not be written down: the lease runs out, and it is taken again.
      if (mayWait(error)) options.onUnavailable?.(error)
      else failure ??= { error }
    }
  }
  const start = (work: Promise<void>) => {
    const one = guard(work).finally(() => running.delete(one))
    running.add(one)
  }
  const mayWait = (error: unknown) => {
    const fault = store.faultOf(error)
    return fault === 'busy' || (fault === 'unavailable' && !untilEmpty)
  }
  let woken = Promise.withResolvers<void>()
  const endWakeups = untilEmpty ? undefined : store.wakeups?.subscribe(() => woken.resolve())
  const isStopped = () => (signal?.aborted ?? false) || failure !== undefined
  while (!isStopped()) {
    // What comes while the queues are looked at wakes too.
    woken = Promise.withResolvers()
    const now = timeOf(options)
    const later = (leases: number) => new Date(now.getTime() + leaseMs * leases)
    const request = () => ({ now, until: later(1), limit: concurrency - running.size })
    const takeEvents = async () => {
      if (pauseOf(options).lasts(now)) return 0
      // By clocks that differ a little. Whoever took a lease long ago may be dead, and holds nobody else up.
      const inWork = { from: later(7 / 8), to: later(9 / 8) }
      const groups = byCustomer(
        await store.inbox.lease({ ...request(), inWork, hooks: typesOf(options.onEvent) }),
      )
      for (const events of groups) start(processEvents(options, events, report))
      return groups.length
    }
    const takeMessages = async (to: Send) => {
      const messages = await store.outbox.lease(request())
      for (const message of messages)
        start(sendMessage(options, to, message, leaseMs / 2).then((outcome) => report(outcome, message.id)))
      return messages.length
    }
    let claimed = 0
    // What ends while the queues are looked at may have put something into one that was empty.
    const wasIdle = running.size === 0
    try {
      // Each comes first every other time, so that neither starves behind the other's backlog.
      const queues = send ? [takeEvents, () => takeMessages(send)] : [takeEvents]
      if (turn++ % 2 === 1) queues.reverse()
      for (const take of queues) if (running.size < concurrency) claimed += await take()
    } catch (error) {
      const fault = store.faultOf(error)
      if (fault === undefined || (fault === 'unavailable' && untilEmpty)) {
        failure ??= { error }
        break
      }
      if (fault === 'unavailable') options.onUnavailable?.(error)
      // Nobody could look: that is not to be taken for empty queues.
      await sleep(pollMs)
      continue
    }
    if (running.size >= concurrency) await Promise.race(running)
    else if (claimed === 0) {
      if (untilEmpty && wasIdle) break
      if (untilEmpty && running.size === 0) continue
      const isOver = new AbortController()
      const ends = signal ? AbortSignal.any([signal, isOver.signal]) : isOver.signal
      const pause = sleep(pollMs * (0.75 + Math.random() / 2), undefined, { signal: ends }).catch(() => {})
      // One that takes long must not keep the free places empty.
      await Promise.race([pause, woken.promise, ...running])
      isOver.abort()
    }
  }
  await Promise.all(running)
  await endWakeups?.()
  if (failure) throw failure.error
  return totals
}
