import type { GraduationCommand, GraduationStatus } from '@outgrow/graduate'

/** The states of a graduation in their order, and what is true in each. */
export const states: Record<GraduationStatus['state'], string> = {
  none: 'The rows are in the SQLite file, and no graduation is under way.',
  capturing: 'The rows are in the SQLite file. Every change is logged, and the file is being copied.',
  copying:
    'The rows are in the SQLite file. A copy of it is being loaded into Postgres, and every change is logged meanwhile.',
  following:
    'The rows are in the SQLite file. Postgres has a copy that follows every change, and the switch can be made.',
  switched:
    'The rows are in Postgres. What changes there is logged for the way back, and the file’s old tables are set aside.',
  completed: 'The rows are in Postgres, and there is no way back. The old file is kept as an archive.',
}

/** The commands as they are typed; a rehearsal that leaves the graduation as it is has only its button here. */
export const commandLines: Record<GraduationCommand, string | null> = {
  graduate: 'outgrow graduate',
  rehearse: null,
  cutover: 'outgrow graduate cutover',
  rollback: 'outgrow graduate rollback',
  complete: 'outgrow graduate complete',
  cancel: 'outgrow graduate cancel',
}
