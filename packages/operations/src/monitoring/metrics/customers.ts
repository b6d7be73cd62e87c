import { byLabel, type MetricGroup } from './family.ts'

/** Customers of billing that a person has to look at. */
export interface CustomerConcerns {
  /** How many, by reason. */
  attention: Record<string, number>
  /** When billing was last compared with Stripe as a whole; null where it never was. */
  reconciledAt: Date | null
}

const families = [
  {
    name: 'outgrow_billing_attention',
    type: 'gauge',
    help: 'Customers who pay for nothing, or twice, by reason',
  },
  {
    name: 'outgrow_billing_reconciled_timestamp_seconds',
    type: 'gauge',
    help: 'When the last reconciliation with Stripe ended; absent where none has',
  },
] as const

/** @param concerns reads them as they are now */
export function customersGroup(concerns: () => Promise<CustomerConcerns>): MetricGroup {
  return {
    name: 'customers',
    families,
    read: async () => {
      const { attention, reconciledAt } = await concerns()
      return [
        ...byLabel('outgrow_billing_attention', 'reason', attention),
        ...(reconciledAt === null
          ? []
          : [{ name: 'outgrow_billing_reconciled_timestamp_seconds', value: reconciledAt.getTime() / 1000 }]),
      ]
    },
  }
}
