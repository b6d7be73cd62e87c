import type { Preset } from './preset.ts'

/** `webhook_calls` of laravel-webhook-client, under laravel-stripe-webhooks 2 and 3; version 1 had a table of its own. */
export const spatie: Preset = {
  name: 'spatie',
  of: 'spatie/laravel-stripe-webhooks',
  shapes: [
    {
      table: 'webhook_calls',
      columns: { payload: 'payload', received: 'created_at' },
      only: { column: 'name', value: 'stripe' },
    },
    {
      table: 'stripe_webhook_calls',
      columns: { payload: 'payload', type: 'type', received: 'created_at' },
    },
  ],
  note: 'It does not record which calls were processed: all are pending. --done-before names the day up to which they were.',
}
