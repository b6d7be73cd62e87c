import type { BillingStatus } from './status.ts'

/** How many customers need a person, by reason. */
export function attentionOf({
  unlinkedPayers,
  outsidePlans,
  doubleSubscriptions,
}: Pick<BillingStatus, 'unlinkedPayers' | 'outsidePlans' | 'doubleSubscriptions'>): Record<string, number> {
  return {
    unlinked_payer: unlinkedPayers.length,
    outside_plans: outsidePlans.length,
    pays_twice: doubleSubscriptions.length,
  }
}
