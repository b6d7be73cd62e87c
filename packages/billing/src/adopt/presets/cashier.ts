import type { Preset } from './preset.ts'

/** Cashier's WebhookController hands each event to its listeners. None of its migrations has a table of events. */
export const cashier: Preset = {
  name: 'cashier',
  of: 'Laravel Cashier',
  shapes: [],
  note: 'Laravel Cashier stores no events: it processes each in the request that brings it.',
}
