import {
  runCancel,
  runComplete,
  runCutover,
  runRehearse,
  runRollback,
  type CompletionReport,
  type GraduationCommand,
  type GraduationReport,
} from '@outgrow/graduate'

/** What an operator does to a graduation from its page. */
export type ActionName = Exclude<GraduationCommand, 'graduate'>

export interface ActionRequest {
  from: string
  to: string
  workDir: string
  signal: AbortSignal
  /** @param entries of the log that are still to be applied */
  onLag(entries: number): void
}

export interface Action {
  title: string
  /** What it does, before it is confirmed. */
  text: string
  /** What is typed to confirm it. Null: the file’s name, because it cannot be undone. */
  word: string | null
  run(request: ActionRequest): Promise<GraduationReport>
  /** What came of it, in words. */
  outcome(report: GraduationReport): string
}

const progress = () => {}
const budgetMs = undefined

export const actions: Record<ActionName, Action> = {
  rehearse: {
    title: 'Rehearse',
    text: 'Does everything that the switch does except commit it, and measures how long writes are held.',
    word: 'rehearse',
    run: (request) => runRehearse({ ...request, progress, budgetMs, times: 1 }),
    outcome: ({ pauses }) => `Rehearsed: ${held(pauses)} Nothing was switched.`,
  },
  cutover: {
    title: 'Cut over',
    text: 'Holds writes for a moment and switches the application to Postgres. The way back stays open.',
    word: 'cut over',
    run: (request) => runCutover({ ...request, progress, budgetMs, leavesBehind: false }),
    outcome: ({ pauses }) => `Switched to Postgres: ${held(pauses)}`,
  },
  rollback: {
    title: 'Roll back',
    text: 'Brings what was written to Postgres into the file, holds writes for a moment, and switches back to SQLite.',
    word: 'roll back',
    run: (request) => runRollback({ ...request, progress, budgetMs }),
    outcome: ({ pauses }) => `Back on SQLite, with everything that was written to Postgres: ${held(pauses)}`,
  },
  complete: {
    title: 'Complete',
    text: 'Closes the way back for good: the old file is archived, and a small file in its place says where the rows are.',
    word: null,
    run: (request) => runComplete({ ...request, progress, leavesBehind: false }),
    outcome: (report) => {
      const { archive } = report as CompletionReport
      const kept =
        archive === null ? '' : ` The old file is kept as ${archive.path} (sha256 ${archive.sha256}).`
      return `Completed: the rows are in Postgres, and there is no way back.${kept}`
    },
  },
  cancel: {
    title: 'Cancel',
    text: 'Stops following, and removes everything that the graduation added to the file and to Postgres.',
    word: 'cancel',
    run: (request) => runCancel(request),
    outcome: ({ graduation }) =>
      graduation === null
        ? 'No graduation of this file was under way.'
        : `Cancelled the graduation ${graduation}: the file and the target are as they were.`,
  },
}

export function isAction(name: string): name is ActionName {
  return Object.hasOwn(actions, name)
}

function held(pauses: GraduationReport['pauses']): string {
  return `writes were held for ${pauses.map(({ ms }) => `${ms.toFixed(1)} ms`).join(', ')}.`
}
