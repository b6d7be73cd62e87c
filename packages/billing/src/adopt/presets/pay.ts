import type { Preset } from './preset.ts'

/** `pay_webhooks` of Pay for Rails: of every provider, and deleted when it was processed. */
export const pay: Preset = {
  name: 'pay',
  of: 'Pay (Rails)',
  shapes: [
    {
      table: 'pay_webhooks',
      columns: { payload: 'event', type: 'event_type', received: 'created_at' },
      only: { column: 'processor', value: 'stripe' },
    },
  ],
  note: 'It deletes an event once it was processed: those that are left are pending.',
}
