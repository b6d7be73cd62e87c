import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { maxCollisions } from '@outgrow/billing'
import { messageOf } from '@outgrow/kit'
import { examine, type Collisions, type Examination } from '@outgrow/signs'
import { chartData, isMissingTable } from '../chart-data.ts'
import { ranges, type Range } from '../chart-ranges.ts'
import type { Services } from '../services.ts'
import { fragmentOf } from '../views/fragment.ts'
import { SignsPanel, VerdictPanel } from '../views/signs.tsx'

const windowMs = 1000
const everyMs = 5000
const process = { name: 'console', run: randomUUID() }

/** Looks at the database every few seconds, whoever looks on: the charts need the past. */
export async function watchSigns(services: Services, signal: AbortSignal): Promise<void> {
  const { live, log } = services
  while (!signal.aborted) {
    const next = performance.now() + everyMs
    try {
      const at = Date.now()
      const examination = await examineOnce(services, signal)
      for (const piece of [
        <VerdictPanel examination={examination} />,
        <SignsPanel examination={examination} />,
      ])
        live.publish({ topic: 'signs', event: 'fragment', data: fragmentOf(piece), at })
      if (live.hears('signs')) {
        const points = await Promise.all(
          (Object.keys(ranges) as Range[]).map((range) => chartData(services, range, 2)),
        )
        live.publish({ topic: 'signs', event: 'points', data: JSON.stringify(points), at })
      }
    } catch (error) {
      if (!signal.aborted) log.error({ error: messageOf(error) }, 'the database could not be examined')
    }
    await sleep(Math.max(0, next - performance.now()), undefined, { signal }).catch(() => {})
  }
}

function examineOnce({ database, billing, store }: Services, signal: AbortSignal): Promise<Examination> {
  return examine({
    url: database.url,
    windowMs,
    store,
    process,
    signal,
    collisions: async (): Promise<Collisions | undefined> => {
      try {
        return { maxPerMinute: await maxCollisions(billing) }
      } catch (error) {
        if (isMissingTable(error)) return undefined
        throw error
      }
    },
  })
}
