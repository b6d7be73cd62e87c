import { addDigests, emptyDigest } from '../model/digest.ts'
import type { PlannedTable } from '../model/plan.ts'
import type { QuarantinedRow, RowsRead } from '../model/row.ts'
import { FindingCollector, FixCounter } from '../model/collectors.ts'
import type { InspectTargetRequest } from './inspect-target.ts'
import { plan } from './plan.ts'
import type { Step } from './step.ts'
import { takeSnapshot } from './take-snapshot.ts'

/** Where rows go that no target gets. */
export interface ReadRequest extends InspectTargetRequest {
  /** Takes each buffer of a table in binary COPY form; undefined: the rows are only read. */
  write?(table: PlannedTable, buffer: Buffer): void
  /** Takes the rows of a chunk that are to be set aside; undefined: they are only counted. */
  setAside?(rows: QuarantinedRow[]): void
}

export type TableRead = Pick<RowsRead, 'digest' | 'rowsRead'>

/** Reads every row and decides every value, for no target. */
export const read: Step<Map<PlannedTable, TableRead>, ReadRequest> = {
  name: 'read',
  title: 'Read every row',
  completesFindings: true,
  run: async (run) => {
    const { options, progress, signal, write, setAside } = run.request
    const snapshot = run.of(takeSnapshot)
    const { tables } = run.of(plan)
    const cut = tables.map((table) => ({ table, ...snapshot.chunks(table) }))
    const totalRows = cut.reduce((sum, { span }) => sum + span, 0)
    const findings = new FindingCollector()
    const fixes = new FixCounter()
    const value = new Map<PlannedTable, TableRead>()
    let rows = 0
    let bytes = 0
    for (const { table, chunks } of cut) {
      const total: TableRead = { digest: emptyDigest, rowsRead: 0 }
      for (const chunk of chunks) {
        const stream = snapshot.rows(table, options, chunk)
        for await (const buffer of stream.buffers()) {
          signal.throwIfAborted()
          bytes += buffer.length
          write?.(table, buffer)
          stream.giveBack(buffer)
          progress({ step: 'read', rows: rows + stream.rows, bytes: buffer.length, totalRows })
        }
        const { result } = stream
        total.digest = addDigests(total.digest, result.digest)
        total.rowsRead += result.rowsRead
        setAside?.(result.quarantined)
        findings.merge(result.findings)
        fixes.merge(result.fixes)
        rows += result.rowsRead
      }
      await snapshot.checkCount(table, total.rowsRead)
      value.set(table, total)
    }
    return { value, findings: findings.findings, fixes: fixes.fixes, rows, bytes }
  },
}
