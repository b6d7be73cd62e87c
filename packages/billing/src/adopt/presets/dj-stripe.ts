import type { Preset } from './preset.ts'

/** `WebhookEventTrigger` of dj-stripe 2 and 3: every request that reached the endpoint, forged ones too. */
export const djStripe: Preset = {
  name: 'dj-stripe',
  of: 'dj-stripe',
  shapes: [
    {
      table: 'djstripe_webhookeventtrigger',
      columns: { payload: 'body', valid: 'valid', done: 'processed', received: 'created' },
    },
  ],
}
