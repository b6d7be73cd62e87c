/** What a process of the run is told by the run, and tells it. */
import { flushCompileCache } from 'node:module'
import { setClock } from './clock.ts'
import type { Visit } from './points.ts'
import type { Variant } from './variants.ts'

/** To a process. */
export type Order =
  | { clockMs: number }
  /** The variant to run from now on, once what is under way has ended. */
  | { use: Variant }
  /** The point to die at, the `times`th time that it comes there; undefined for none. */
  | { dieAt: string | undefined; times: number }
  /** How often a worker may call each endpoint of Stripe in a second; null for no limit. */
  | { callsPerSecond: number | null }
  /** A worker takes nothing while it is held. */
  | { hold: boolean }
  | { ask: number; action: string; accountId: string; argument: string }

/** From a process. */
export type Report =
  | { ready: true }
  | { held: boolean }
  | { dies: string }
  | { answer: number; value?: string; failure?: string; bug?: string }

export const state: { dieAt: string | undefined; times: number; held: boolean } = {
  dieAt: undefined,
  times: 1,
  held: false,
}

export function report(what: Report): void {
  process.send?.(what)
}

/** It can be asked for something. Those that come after it start from what it compiled. */
export function reportReady(): void {
  report({ ready: true })
  flushCompileCache()
}

/** Dies where it was told to, once the run knows of it. */
export const visit: Visit = async (point) => {
  if (state.dieAt !== point || --state.times > 0) return
  await new Promise(() => {
    process.send?.({ dies: point } satisfies Report, undefined, undefined, () =>
      process.kill(process.pid, 'SIGKILL'),
    )
  })
}

interface Handlers {
  onAsk?: (order: Extract<Order, { ask: number }>) => void
  onUse: (variant: Variant) => void
  onBudget?: (callsPerSecond: number) => void
}

/** Follows orders. What is asked for is handed on. */
export function listen({ onAsk = () => {}, onUse, onBudget = () => {} }: Handlers): void {
  // With the run gone, nobody is left to work for; who finished its work disconnects too.
  process.on('disconnect', () => process.exit())
  // Ctrl-C reaches it too, and is the run's to answer.
  process.on('SIGINT', () => {})
  process.on('message', (order: Order) => {
    if ('clockMs' in order) setClock(order.clockMs)
    else if ('hold' in order) report({ held: (state.held = order.hold) })
    else if ('ask' in order) onAsk(order)
    else if ('use' in order) onUse(order.use)
    else if ('callsPerSecond' in order) onBudget(order.callsPerSecond ?? Infinity)
    else Object.assign(state, order)
  })
}
