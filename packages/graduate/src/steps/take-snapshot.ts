import { explainDamage } from '../source/sqlite/damaged.ts'
import type { Snapshot } from '../source/source.ts'
import type { Step } from './step.ts'

export const takeSnapshot: Step<Snapshot> = {
  name: 'snapshot',
  title: 'Begin a snapshot of the source',
  run: async ({ request, defer, explain }) => {
    explain(explainDamage)
    const snapshot = await request.source.open(request.signal)
    defer(() => snapshot[Symbol.asyncDispose]())
    snapshot.tables() // an empty file is refused before anything else is opened
    return { value: snapshot }
  },
}
