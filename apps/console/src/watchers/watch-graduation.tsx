import { setTimeout as sleep } from 'node:timers/promises'
import { seeGraduation } from '../graduation/see.ts'
import type { Services } from '../services.ts'
import { fragmentOf } from '../views/fragment.ts'
import { ActionOutcome, GraduationActions } from '../views/graduation-actions.tsx'
import { GraduationStatusPanel } from '../views/graduation-status.tsx'

const everyMs = 1000

/** Looks at the graduation every second while somebody has its page open. */
export async function watchGraduation(services: Services, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    if (services.live.hears('graduation')) await publishGraduation(services)
    await sleep(everyMs, undefined, { signal }).catch(() => {})
  }
}

/** Shows how far an action has come, without asking either side. */
export function publishAction({ live, ends, desk }: Services): void {
  const at = Date.now()
  const pieces = [<ActionOutcome latest={desk.latest} />]
  if (desk.isBusy) pieces.push(<GraduationActions seen={{}} ends={ends} latest={desk.latest} />)
  for (const piece of pieces)
    live.publish({ topic: 'graduation', event: 'fragment', data: fragmentOf(piece), at })
}

/** Shows where the graduation stands now. */
export async function publishGraduation({ live, ends, desk }: Services): Promise<void> {
  const at = Date.now()
  const seen = await seeGraduation(ends)
  for (const piece of [
    <GraduationStatusPanel seen={seen} ends={ends} />,
    <GraduationActions seen={seen} ends={ends} latest={desk.latest} />,
    <ActionOutcome latest={desk.latest} />,
  ])
    live.publish({ topic: 'graduation', event: 'fragment', data: fragmentOf(piece), at })
}
