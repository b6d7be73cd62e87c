import { EventStatus, type Database } from '@outgrow/db'

/** What stands in the place of a payload that was kept long enough. */
const blankPayload = '{}'

/**
 * Blanks the payloads of settled events older than `days`: they hold names and addresses. The rows stay, so that a late
 * repeat is still known. Returns how many.
 */
export async function prune(
  { client }: Database,
  days: number,
  dryRun = false,
  now = new Date(),
): Promise<number> {
  const where = {
    status: { in: [EventStatus.DONE, EventStatus.IGNORED] },
    receivedAt: { lt: new Date(now.getTime() - days * 86_400_000) },
    payload: { not: blankPayload },
  }
  if (dryRun) return client.webhookEvent.count({ where })
  return (await client.webhookEvent.updateMany({ where, data: { payload: blankPayload } })).count
}
