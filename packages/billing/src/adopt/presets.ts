import { Failure } from '@outgrow/kit'
import { cashier } from './presets/cashier.ts'
import { djStripe } from './presets/dj-stripe.ts'
import { pay } from './presets/pay.ts'
import type { Preset } from './presets/preset.ts'
import { spatie } from './presets/spatie.ts'
import { stripeSyncEngine } from './presets/stripe-sync-engine.ts'

export type { Preset } from './presets/preset.ts'

/** Applications whose table of events is known: a file each. */
export const presets: readonly Preset[] = [cashier, djStripe, pay, spatie, stripeSyncEngine]

/** @throws Failure OUTGROW_ADOPT_PRESET */
export function presetOf(name: string): Preset {
  const preset = presets.find((one) => one.name === name)
  if (preset === undefined) {
    throw new Failure({
      code: 'OUTGROW_ADOPT_PRESET',
      message: `There is no preset ${name}.`,
      fix: `The presets are ${presets.map((one) => one.name).join(', ')}. For another table, pass --table with its columns.`,
    })
  }
  if (preset.shapes.length === 0) {
    throw new Failure({
      code: 'OUTGROW_ADOPT_PRESET',
      message: preset.note ?? `${preset.of} stores no events.`,
      why: 'There is no table to take them from.',
      fix: 'Make the inbox without --preset; then outgrow billing reconcile fetches the events of the last 30 days from Stripe and compares every customer.',
    })
  }
  return preset
}
