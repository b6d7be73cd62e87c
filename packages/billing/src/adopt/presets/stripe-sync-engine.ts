import type { Preset, StoredShape } from './preset.ts'

const table = 'stripe.events'
const whole = (id: string, payload: string): StoredShape => ({ table, columns: { id, payload } })

/** Migrations 0009 (columns), 0042 (`raw_data`), 0048 (`_id`, `_raw_data`) and 0050 (`id` again) of stripe-sync-engine. */
export const stripeSyncEngine: Preset = {
  name: 'stripe-sync-engine',
  of: 'stripe-sync-engine',
  shapes: [
    whole('id', '_raw_data'),
    whole('_id', '_raw_data'),
    whole('id', 'raw_data'),
    {
      table,
      columns: {
        id: 'id',
        data: 'data',
        type: 'type',
        livemode: 'livemode',
        apiVersion: 'api_version',
        created: 'created',
      },
    },
  ],
  note: 'It does not record which events were processed: all are pending.',
}
