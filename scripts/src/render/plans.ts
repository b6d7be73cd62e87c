import type { Plan } from '@outgrow/billing'
import { count, textTable, type Terminal } from '../output/terminal.ts'

export type SoldPlan = Pick<Plan, 'id' | 'priceId' | 'amount' | 'currency'>

/** The plans, and whether they are sold now. */
export function printPlans(terminal: Terminal, plans: SoldPlan[], accounts: number, dryRun: boolean): void {
  const rows = plans.map(({ id, priceId, amount, currency }) => [id, priceId, String(amount), currency])
  for (const line of textTable(['plan', 'price at Stripe', 'amount', 'currency'], rows)) terminal.line(line)
  terminal.line(dryRun ? 'Stripe has these prices. Nothing was written.' : 'These plans are sold now.')
  if (accounts > 0)
    terminal.line(`${count(accounts)} accounts pay a plan that has changed, and have its features now.`)
}

/** How many accounts have been given what their plans give now. */
export function printRegranted(terminal: Terminal, accounts: number): void {
  if (accounts % 500 === 0) terminal.line(`${count(accounts)} accounts have what their plans give now …`)
}
