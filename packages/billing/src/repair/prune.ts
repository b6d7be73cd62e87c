import type { BillingStore } from '../store.ts'

/**
 * Blanks the payloads of settled events older than `days`: they hold names and addresses. The rows stay, so that a late
 * repeat is still known. Returns how many.
 */
export function prune(
  { upkeep }: BillingStore,
  days: number,
  dryRun = false,
  now = new Date(),
): Promise<number> {
  return upkeep.blankPayloads(new Date(now.getTime() - days * 86_400_000), dryRun)
}
