import { setTimeout as sleep } from 'node:timers/promises'
import { billingStatus } from '@outgrow/billing'
import { messageOf } from '@outgrow/kit'
import { isMissingTable } from '../chart-data.ts'
import type { Services } from '../services.ts'
import { fragmentOf } from '../views/fragment.ts'
import { InboxCounts } from '../views/inbox-counts.tsx'

const everyMs = 2000

/** Counts the inbox while somebody looks at it. */
export async function watchInbox({ live, billing, log }: Services, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    if (live.hears('inbox')) {
      try {
        const at = Date.now()
        const status = await billingStatus(billing)
        const data = fragmentOf(<InboxCounts status={status} />)
        live.publish({ topic: 'inbox', event: 'fragment', data, at })
      } catch (error) {
        if (!isMissingTable(error)) log.error({ error: messageOf(error) }, 'the inbox could not be counted')
      }
    }
    await sleep(everyMs, undefined, { signal }).catch(() => {})
  }
}
