import { mkdirSync, watch } from 'node:fs'
import { readJournals } from '@outgrow/graduate'
import { messageOf } from '@outgrow/kit'
import type { Services } from '../services.ts'
import { fragmentOf } from '../views/fragment.ts'
import { RunsPanel } from '../views/runs.tsx'

/** A run that says nothing is looked at again by then: its process may be gone. */
const everyMs = 5000
const restMs = 100

/** Tells of the command line's runs as their journals change. */
export function watchRuns({ live, runsDirectory, log }: Services, signal: AbortSignal): void {
  mkdirSync(runsDirectory, { recursive: true })
  const tell = () => {
    try {
      const at = Date.now()
      const html = fragmentOf(<RunsPanel runs={readJournals(runsDirectory)} />)
      live.publish({ topic: 'runs', event: 'fragment', data: html, at })
    } catch (error) {
      log.error({ error: messageOf(error) }, 'the runs could not be shown')
    }
  }
  let resting: NodeJS.Timeout | undefined
  // A journal changes several times a second: once in a tenth of a second is enough for eyes.
  const changed = () => {
    resting ??= setTimeout(() => {
      resting = undefined
      tell()
    }, restMs)
  }
  const watcher = watch(runsDirectory, changed)
  const timer = setInterval(changed, everyMs)
  tell()
  signal.addEventListener('abort', () => {
    watcher.close()
    clearInterval(timer)
    clearTimeout(resting)
  })
}
