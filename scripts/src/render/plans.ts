import type { Plan } from '@outgrow/billing'
import { textTable, type Terminal } from '../output/terminal.ts'

export type SoldPlan = Pick<Plan, 'id' | 'priceId' | 'amount' | 'currency'>

/** The plans, and whether they are sold now. */
export function printPlans(terminal: Terminal, plans: SoldPlan[], dryRun: boolean): void {
  const rows = plans.map(({ id, priceId, amount, currency }) => [id, priceId, String(amount), currency])
  for (const line of textTable(['plan', 'price at Stripe', 'amount', 'currency'], rows)) terminal.line(line)
  terminal.line(dryRun ? 'Stripe has these prices. Nothing was written.' : 'These plans are sold now.')
}
