import type { Progress } from '@outgrow/graduate'
import type { BackupProgress } from '@outgrow/operations'
import { count, duration, size, type Terminal } from '../output/terminal.ts'

/** Shows how far reading has come, after `label` while nothing is read yet. `done` ends it, however the work ended. */
export function readingProgress(terminal: Terminal, label: string): { progress: Progress; done: () => void } {
  const done = terminal.busy(label)
  return {
    progress: ({ rows, totalRows }) => {
      done()
      terminal.progress(() => `read ${count(rows)} of about ${count(totalRows)} rows`)
    },
    done,
  }
}

/** Shows how many rows or pages are done, of how many. */
export function countProgress(terminal: Terminal, what: 'rows' | 'pages'): Progress {
  return ({ rows, totalRows }) => terminal.progress(() => `${count(rows)} of ${count(totalRows)} ${what}`)
}

/** A bar with the rows, the speed and the time left. It never goes back, though the number of rows is an estimate. */
export function copyProgress(terminal: Terminal): Progress {
  const started = performance.now()
  let furthest = 0
  return ({ rows, bytes, totalRows }) =>
    terminal.progress(() => {
      const seconds = (performance.now() - started) / 1000
      const share = Math.max(furthest, totalRows === 0 ? 1 : Math.min(1, rows / totalRows))
      furthest = share
      const filled = Math.round(share * 24)
      const left = share > 0.02 && share < 1 ? `, ${duration((seconds / share - seconds) * 1000)} left` : ''
      return `${'█'.repeat(filled)}${'░'.repeat(24 - filled)} ${count(rows)} rows, ${size(bytes / seconds)}/s${left}`
    })
}

/** Shows how far each step of a backup or a restore is. */
export function stepProgress(terminal: Terminal): BackupProgress {
  return (step, doneBytes, totalBytes) =>
    terminal.progress(() => {
      const total = totalBytes === undefined ? '' : ` of ${size(totalBytes)}`
      return doneBytes === 0 && total === '' ? step : `${step}: ${size(doneBytes)}${total}`
    })
}
