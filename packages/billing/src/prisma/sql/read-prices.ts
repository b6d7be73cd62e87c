import type { PlanPrice } from '../../store.ts'
import type { Scope } from '../scope.ts'
import { rowsOf } from './statement.ts'

/**
 * Every price with what its plan gives. In one statement, so that what is read is of one moment, and nothing is kept: in a
 * transaction that has locked a customer, what another process has just sold is not missed.
 */
export async function readPrices(scope: Scope): Promise<PlanPrice[]> {
  const rows = await rowsOf<{ price: string; plan: string; features: unknown }>(
    scope,
    (_, { planPrice, plan }) =>
      `SELECT sold.${planPrice.column('stripePriceId')} AS price, sold.${planPrice.column('planId')} AS plan, plan.${plan.column('features')} AS features FROM ${planPrice.table} AS sold JOIN ${plan.table} AS plan ON plan.${plan.column('id')} = sold.${planPrice.column('planId')}`,
  )
  return rows.map(({ price, plan, features }) => ({
    stripePriceId: price,
    planId: plan,
    // SQLite gives the text of what it keeps as JSON.
    features: (typeof features === 'string' ? JSON.parse(features) : (features ?? {})) as Record<
      string,
      unknown
    >,
  }))
}
