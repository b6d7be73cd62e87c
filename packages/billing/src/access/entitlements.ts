import type { BillingStore, Entitlement } from '../store.ts'

/** Whether an account may use a feature now. */
export async function hasFeature(
  store: BillingStore,
  accountId: string,
  feature: string,
  now = new Date(),
): Promise<boolean> {
  const grant = await grantOf(store, accountId, feature, now)
  return grant !== undefined && grant.limit !== 0n
}

/** The most of a feature that an account may use now: 0 without it, null when it has no limit. */
export async function limitOf(
  store: BillingStore,
  accountId: string,
  feature: string,
  now = new Date(),
): Promise<bigint | null> {
  const grant = await grantOf(store, accountId, feature, now)
  return grant === undefined ? 0n : grant.limit
}

async function grantOf(
  { access }: BillingStore,
  accountId: string,
  feature: string,
  now: Date,
): Promise<Entitlement | undefined> {
  const grant = await access.entitlement(accountId, feature)
  return grant && (grant.expiresAt === null || grant.expiresAt > now) ? grant : undefined
}
