import { setTimeout as sleep } from 'node:timers/promises'
import type { PostgresClient } from '@outgrow/databases'
import { Failure } from '@outgrow/kit'
import type { Finding } from '../../model/finding.ts'
import type { Pause } from '../../ledger/graduation.ts'
import { readLogState } from '../../source/sqlite/live/change-log.ts'
import { catchUp } from '../../steps/live/catch-up.ts'
import { finishSwitch } from '../../steps/live/finish-switch.ts'
import { hold, prepareHold, type Held } from '../../steps/live/hold.ts'
import { switchObstacles } from '../../steps/live/obstacles.ts'
import type { LiveSession } from '../../steps/live/session.ts'
import { verifyLive } from '../../steps/live/verify-live.ts'
import { roundTripMs } from './round-trip.ts'

/** Entries of the log that may be left when writes are held: they are applied meanwhile. */
const heldEntries = 500
/** After a pause that took too long the application is left alone for a while. */
const restMs = 2000

/** Applies what is committed until little is left. Returns the entries that are. */
export async function settle(session: LiveSession, onLag: (entries: number) => void): Promise<number> {
  for (;;) {
    session.signal.throwIfAborted()
    await catchUp(session)
    const left = readLogState(session.file.reader).newest - session.graduation.applied
    onLag(left)
    if (left <= heldEntries) return left
  }
}

/** Of a switch, while writes are held. */
export const switchRoundTrips = 3

/**
 * How long writes may be held, in ms, where nobody says: 100, and as long as the server is waited for.
 * @param roundTrips to the server while they are held
 */
export async function defaultBudgetMs(client: PostgresClient, roundTrips: number): Promise<number> {
  return 100 + roundTrips * (await roundTripMs(client))
}

export interface SwitchRequested {
  budgetMs: number
  /** How often it is tried where the budget is spent. */
  attempts: number
  /** Switch although processes would be left behind. */
  leavesBehind?: boolean | undefined
}

/** How long ago both sides may have been compared when they are switched. */
const verifiedMs = 60_000

/**
 * Switches: compares again where that is long ago, and holds writes as soon as little is left to apply.
 * @param afterSwitch is done right after the commit point
 * @throws Failure OUTGROW_CUTOVER_BLOCKED, OUTGROW_PAUSE_TOO_LONG
 */
export async function cutOver(
  session: LiveSession,
  { budgetMs, attempts, leavesBehind = false }: SwitchRequested,
  onLag: (entries: number) => void,
  afterSwitch: () => Promise<void> = async () => {},
): Promise<{ held: Held; findings: Finding[]; notes: string[] }> {
  const { verified } = session.graduation
  await settle(session, onLag)
  if (!verified?.isEqual || verified.orphans > 0 || Date.now() - Date.parse(verified.at) > verifiedMs)
    await verifyLive(session)
  const { behind, others } = await switchObstacles(session)
  const inTheWay = [...(leavesBehind && others.length === 0 ? [] : behind), ...others]
  if (inTheWay.length > 0) throw blocked(inTheWay)
  for (let attempt = 1; ; attempt++) {
    await settle(session, onLag)
    const prepared = await prepareHold(session)
    try {
      const held = await hold(session, prepared, { kind: 'cutover', budgetMs })
      // First of all: an application that does not follow by itself is down until then.
      await afterSwitch()
      await recordPause(session, held)
      return { held, ...(await finishSwitch(session)) }
    } catch (error) {
      const isSpent = error instanceof Failure && error.code === 'OUTGROW_PAUSE_TOO_LONG'
      if (!isSpent || attempt >= attempts) throw error
      await sleep(restMs, undefined, { signal: session.signal })
    }
  }
}

/** Does everything of a switch but the commits, so often. */
export async function rehearse(
  session: LiveSession,
  { times, budgetMs }: { times: number; budgetMs: number },
  onLag: (entries: number) => void,
): Promise<Held[]> {
  const all: Held[] = []
  for (let time = 1; time <= times; time++) {
    await settle(session, onLag)
    const prepared = await prepareHold(session)
    all.push(await hold(session, prepared, { kind: 'rehearsal', budgetMs }))
  }
  for (const held of all) await recordPause(session, held)
  return all
}

async function recordPause({ ledger, graduation }: LiveSession, { kind, at, ms }: Held): Promise<void> {
  const pause: Pause = { kind, at, ms: Math.round(ms * 10) / 10 }
  graduation.pauses.push(pause)
  await ledger.recordPauses([pause])
}

function blocked(inTheWay: string[]): Failure {
  return new Failure({
    code: 'OUTGROW_CUTOVER_BLOCKED',
    message: `The switch was not made: ${inTheWay.join('; ')}.`,
    why: 'After the switch every statement on the old tables fails, so whoever cannot follow would be down.',
    fix: 'Set POSTGRES_URL for these processes and restart them, or pass --leave-behind to switch without them.',
  })
}
