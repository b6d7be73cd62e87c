import { judged, type Sign, type Threshold } from './level.ts'
import type { InsideSummary } from './summary.ts'

/** Where each sign of the processes begins to matter. Alerts take their limits from here. */
export const insideThresholds = {
  'event-loop': {
    watch: 50,
    plan: 200,
    unit: 'ms',
    source: 'while the event loop is blocked, every request of the process waits',
  },
  webhooks: {
    watch: 60,
    plan: 600,
    unit: 'per minute',
    source: 'each webhook is a write, and Stripe sends those of one renewal within milliseconds',
  },
} satisfies Record<string, Threshold>

/** Webhooks that arrived within a second of another of the same customer. */
export interface Collisions {
  /** The most in one minute; null where they could not be counted. */
  maxPerMinute: number | null
  /** Why they could not be counted. */
  reason?: string
}

/** Signs of the application's processes, whichever database they use. */
export function insideSigns(inside: InsideSummary | undefined, collisions: Collisions | undefined): Sign[] {
  const delay = inside?.eventLoopP99Ms ?? null
  return [
    judged('event-loop', insideThresholds['event-loop'], {
      title: 'Event loop delay',
      value: delay,
      text: delay === null ? 'not counted: no process records it' : `p99 ${delay.toFixed(0)} ms`,
      advice:
        'Look for large reads and long loops (SQLite runs inside the process), and run the worker in a process of its own.',
    }),
    ...(collisions === undefined
      ? []
      : [
          judged('webhooks', insideThresholds.webhooks, {
            title: 'Colliding webhooks',
            value: collisions.maxPerMinute,
            text:
              collisions.maxPerMinute === null
                ? `not counted: ${collisions.reason ?? 'the inbox cannot be read'}`
                : `${collisions.maxPerMinute} in the busiest minute of the day, within a second of another for the same customer`,
            advice:
              'Store events first and process them later, as this inbox does; a burst then only lengthens the queue.',
          }),
        ]),
  ]
}
