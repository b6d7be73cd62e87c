import { duration, textTable } from 'outgrow/output/terminal'
import type { Held } from '../../packages/graduate/src/steps/live/hold.ts'
import type { GraduationFigures } from './live-graduation.ts'
import type { WriterGaps } from './live-writer.ts'

/** After the lock is free a writer may still wait, for the place where it goes on. */
const aftermathMs = 500

/** When writes were held, or nothing was done, until `at`. */
export type Moment = Pick<Held, 'at' | 'ms'>

interface Quantiles {
  p50: number
  p99: number
  largest: number
  of: number
}

/** Figures of a graduation as text, and as they are. */
export function reportLive(
  figures: GraduationFigures,
  quiet: Moment[],
  writers: WriterGaps[],
): { text: string; figures: object } {
  const { rehearsals, switches, returns, rows, copyMs, verifyMs, roundTripMs, entriesPerSecond } = figures
  const kinds = { rehearsal: rehearsals, switch: switches, 'way back': returns }
  const pauses = Object.entries(kinds).flatMap(([name, helds]) => [
    { name, as: 'lock held', ...quantiles(helds.map(({ ms }) => ms)) },
    { name, as: 'seen by a writer', ...quantiles(helds.flatMap((held) => seen(held, writers))) },
  ])
  const before = {
    name: 'before',
    as: 'seen by a writer',
    ...quantiles(quiet.flatMap((one) => seen(one, writers))),
  }
  pauses.unshift(before)
  const { written, caughtUp } = entriesPerSecond
  const table = textTable(
    ['', 'ms', 'p50', 'p99', 'largest', 'of'],
    pauses.map(({ name, as, p50, p99, largest, of }) => [
      name,
      as,
      ...[p50, p99, largest].map((ms) => ms.toFixed(1)),
      String(of),
    ]),
  )
  const writes = writers.reduce((sum, one) => sum + one.writes, 0)
  const text = `${table.join('\n')}
Copied in ${duration(copyMs)}; ${rows.toLocaleString('en-US')} rows compared in ${duration(verifyMs)}; a round trip takes ${roundTripMs.toFixed(1)} ms.
Changes: ${Math.round(written)} a second written, ${Math.round(caughtUp)} a second caught up with (${(caughtUp / written).toFixed(1)} times as many).
${writes.toLocaleString('en-US')} writes were acknowledged.
`
  return { text, figures: { pauses, rows, copyMs, verifyMs, roundTripMs, entriesPerSecond, writes } }
}

/** The longest wait of each process around a pause. */
function seen({ at, ms }: Moment, writers: WriterGaps[]): number[] {
  const end = Date.parse(at) + aftermathMs
  const begin = Date.parse(at) - ms
  return writers.map(({ gaps }) =>
    Math.max(0, ...gaps.filter(([from, to]) => to >= begin && from <= end).map(([from, to]) => to - from)),
  )
}

function quantiles(values: number[]): Quantiles {
  const sorted = values.toSorted((a, b) => a - b)
  const at = (share: number) => sorted[Math.min(sorted.length - 1, Math.ceil(share * sorted.length) - 1)] ?? 0
  return { p50: at(0.5), p99: at(0.99), largest: sorted.at(-1) ?? 0, of: sorted.length }
}
