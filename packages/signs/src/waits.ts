import { quantileMs } from '@outgrow/databases'

/** The longer of what a look from outside waited for the lock and what the application's processes counted. */
export function worstWait(
  share: number,
  looked: Parameters<typeof quantileMs>[0] | undefined,
  countedMs: number | null | undefined,
): number | null {
  const seen = [looked ? quantileMs(looked, share) : undefined, countedMs ?? undefined]
  const known = seen.filter((one) => one !== undefined)
  return known.length === 0 ? null : Math.max(...known)
}
