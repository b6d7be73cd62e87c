/** Where a graduation can be stopped by a test: what lies before it is done, what lies behind it is not. */
export type DiePoint =
  | 'staged'
  | 'captured'
  | 'file-copied'
  | 'copied'
  | 'recorded'
  | 'following'
  | 'before-apply-commit'
  | 'applied'
  | 'pruned'
  | 'verified'
  | 'held'
  | 'before-postgres-commit'
  | 'between-commits'
  | 'after-commit'
  | 'target-dropped'
  | 'back-applied'
  | 'back-held'
  | 'back-before-postgres-commit'
  | 'back-between-commits'
  | 'back-after-commit'
  | 'archived'
  | 'authority-completed'
  | 'tombstone-placed'

const [wanted, times = '1'] = (process.env.OUTGROW_DIE_AT ?? '').split('*')
const signal = process.env.OUTGROW_DIE_BY === 'SIGSTOP' ? 'SIGSTOP' : 'SIGKILL'
let left = Number(times)

/**
 * For tests only: ends this process at a named point, as a crash would, where `OUTGROW_DIE_AT` names it. `applied*3` means
 * the third time; with `OUTGROW_DIE_BY=SIGSTOP` the process stands still there until it gets SIGCONT. Without the variable
 * nothing happens.
 */
export function dieAt(point: DiePoint): void {
  if (point === wanted && --left === 0) process.kill(process.pid, signal)
}
