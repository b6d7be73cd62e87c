import type { Database } from '@outgrow/db'

/** Whether an account may use a feature now. */
export async function hasFeature(
  database: Database,
  accountId: string,
  feature: string,
  now = new Date(),
): Promise<boolean> {
  const grant = await grantOf(database, accountId, feature, now)
  return grant !== undefined && grant.limit !== 0n
}

/** The most of a feature that an account may use now: 0 without it, null when it has no limit. */
export async function limitOf(
  database: Database,
  accountId: string,
  feature: string,
  now = new Date(),
): Promise<bigint | null> {
  const grant = await grantOf(database, accountId, feature, now)
  return grant === undefined ? 0n : grant.limit
}

async function grantOf({ client }: Database, accountId: string, feature: string, now: Date) {
  const grant = await client.entitlement.findUnique({ where: { accountId_feature: { accountId, feature } } })
  return grant && (grant.expiresAt === null || grant.expiresAt > now) ? grant : undefined
}
