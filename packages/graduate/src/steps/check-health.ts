import { findingOf, type Finding } from '../model/finding.ts'
import type { SourceHealth } from '../source/source.ts'
import type { Step } from './step.ts'
import { takeSnapshot } from './take-snapshot.ts'

export const checkHealth: Step<SourceHealth> = {
  name: 'health',
  title: 'Check the file’s integrity',
  completesFindings: true,
  run: async (run) => {
    const value = run.of(takeSnapshot).health()
    return { value, findings: value.integrity === 'ok' ? [] : [damaged(value.integrity)] }
  },
}

/** What SQLite’s integrity check says. */
export function damaged(integrity: string): Finding {
  return findingOf({
    code: 'OUTGROW_SOURCE_DAMAGED',
    table: null,
    excerpt: integrity.slice(0, 200),
    reason: 'SQLite’s integrity check finds damage in the file',
    fixes: ['recover a copy with `sqlite3 file ".recover"`'],
  })
}
