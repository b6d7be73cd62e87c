import { nextCounters, type Counters } from '../target/postgres/counters.ts'
import { plan } from './plan.ts'
import type { MoveRequest } from './move-request.ts'
import { stage } from './stage.ts'
import type { Step } from './step.ts'
import { takeSnapshot } from './take-snapshot.ts'

/** Reads where the target's counters are to go on; they are set when everything is published. */
export const count: Step<Counters, MoveRequest> = {
  name: 'count',
  title: 'Find the next value of each counter',
  run: async (run) => {
    const { staging, loaders } = run.of(stage)
    const counted = run.of(takeSnapshot).counters()
    return { value: await nextCounters(loaders[0].client, staging, run.of(plan).tables, counted) }
  },
}
