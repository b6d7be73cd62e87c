import type { BillingTables, EntitlementChange } from '../store.ts'
import type { Grants } from './entitlements.ts'
import { sameValues } from './same-values.ts'

/** Makes these an account's entitlements. Returns what had been different, in words. With the customer locked. */
export async function writeGrants(
  { access }: BillingTables,
  accountId: string,
  grants: Grants,
): Promise<string[]> {
  const stored = await access.entitlements(accountId)
  const revoked = [...stored.keys()].filter((feature) => !grants.has(feature))
  const granted = new Map([...grants].filter(([feature]) => !stored.has(feature)))
  const changed = new Map(
    [...grants].filter(([feature, grant]) => {
      const known = stored.get(feature)
      return known !== undefined && !sameValues(known, grant)
    }),
  )
  const change: EntitlementChange = { granted, changed, revoked }
  if (granted.size + changed.size + revoked.length === 0) return []
  await access.writeEntitlements(accountId, change)
  return [
    ...(revoked.length > 0 ? [`${revoked.join(', ')} should not have been granted`] : []),
    ...[...changed.keys()].map((feature) => `${feature} was granted with other terms`),
    ...[...granted.keys()].map((feature) => `${feature} was not granted`),
  ]
}
