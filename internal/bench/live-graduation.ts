import { setTimeout as sleep } from 'node:timers/promises'
import { introspectSchema, schemaSourceOf } from '@outgrow/schema'
import { refusedTypes } from '@outgrow/graduate'
import { cutOver, rehearse, settle } from '../../packages/graduate/src/flows/live/follow.ts'
import { roundTripMs } from '../../packages/graduate/src/flows/live/round-trip.ts'
import { openSession, type OpenedSession } from '../../packages/graduate/src/flows/live/open-session.ts'
import { reachFollowing } from '../../packages/graduate/src/flows/live/reach-following.ts'
import { rollBack } from '../../packages/graduate/src/flows/live/roll-back.ts'
import { strictOptions } from '../../packages/graduate/src/model/options.ts'
import { readLogState } from '../../packages/graduate/src/source/sqlite/live/change-log.ts'
import { catchUp } from '../../packages/graduate/src/steps/live/catch-up.ts'
import type { Held } from '../../packages/graduate/src/steps/live/hold.ts'
import { verifyLive } from '../../packages/graduate/src/steps/live/verify-live.ts'

export interface GraduationWork {
  file: string
  to: string
  folder: string
  rehearsals: number
  switches: number
  /** For so long changes are left to wait, before they are caught up with. */
  lagMs: number
  signal: AbortSignal
  onStep(what: string): void
}

export interface GraduationFigures {
  rows: number
  copyMs: number
  verifyMs: number
  roundTripMs: number
  rehearsals: Held[]
  switches: Held[]
  returns: Held[]
  /** Times that a pause was given up over the budget. */
  entriesPerSecond: { written: number; caughtUp: number }
}

const none = () => {}

/** Graduates a file that is written to, with everything measured on the way; real switches are gone back from. */
export async function measureGraduation(work: GraduationWork): Promise<GraduationFigures> {
  const { file: from, to, folder, rehearsals: times, switches: wanted, lagMs, signal, onStep } = work
  const started = performance.now()
  await reachFollowing({
    from,
    to,
    schema: schemaSourceOf(introspectSchema(from, refusedTypes).text, folder),
    options: strictOptions,
    folder,
    maxLog: 100_000_000,
    writesHistory: false,
    progress: none,
    signal,
  })
  const copyMs = performance.now() - started
  const open = () => openSession({ from, to, progress: none, signal })
  let session = await open()
  try {
    const tripMs = await roundTripMs(session.target.client)
    const budgetMs = 2000 + 3 * tripMs
    await settle(session, none)
    onStep('compare')
    const verifying = performance.now()
    const { verified, findings } = await verifyLive(session)
    if (!verified.isEqual) throw new Error(`both sides differ: ${JSON.stringify(findings.slice(0, 3))}`)
    const verifyMs = performance.now() - verifying
    const rehearsals: Held[] = []
    onStep('rehearse')
    for (let time = 0; time < times; time++)
      rehearsals.push(...(await rehearse(session, { times: 1, budgetMs }, none)))
    onStep('catch up')
    const entriesPerSecond = await measureCatchUp(session, lagMs)
    const [switches, returns]: [Held[], Held[]] = [[], []]
    for (let time = 0; time < wanted; time++) {
      onStep(`switch ${time + 1}`)
      const { held } = await cutOver(session, { budgetMs, attempts: 10, leavesBehind: true }, none)
      switches.push(held)
      await sleep(1500)
      await session[Symbol.asyncDispose]()
      session = await open()
      const back = await rollBack(session, { budgetMs, attempts: 10 }, none)
      returns.push(back.held)
      await sleep(1500)
      await session[Symbol.asyncDispose]()
      session = await open()
    }
    const { rows } = verified
    return { rows, copyMs, verifyMs, roundTripMs: tripMs, rehearsals, switches, returns, entriesPerSecond }
  } finally {
    await session[Symbol.asyncDispose]()
  }
}

/** Leaves changes to wait for a while, and sees how quickly they are applied while more come. */
async function measureCatchUp(
  session: OpenedSession,
  lagMs: number,
): Promise<GraduationFigures['entriesPerSecond']> {
  await settle(session, none)
  const newest = () => readLogState(session.file.reader).newest
  const [before, waiting] = [newest(), performance.now()]
  await sleep(lagMs)
  const written = ((newest() - before) / (performance.now() - waiting)) * 1000
  const catching = performance.now()
  let applied = 0
  for (let last = Infinity; last > 200;) {
    last = (await catchUp(session)).entries
    applied += last
  }
  return { written, caughtUp: (applied / (performance.now() - catching)) * 1000 }
}
