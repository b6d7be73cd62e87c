import { nameBeforeAside } from '@outgrow/databases'
import { sameDigest } from '../../model/digest.ts'
import type { Finding } from '../../model/finding.ts'
import type { MoveOptions } from '../../model/options.ts'
import type { TableReport } from '../../model/report.ts'
import { verificationOf } from '../../ledger/graduation.ts'
import { sqliteSource } from '../../source/sqlite/snapshot.ts'
import { bothDigests, withoutCasts } from '../compare-afresh.ts'
import { findDifferences } from '../differences.ts'
import type { BackSession } from './back-session.ts'
import { applyBack } from './catch-up-back.ts'
import type { LiveComparison } from './verify-live.ts'

const readerThreads = 2

/**
 * Compares every row of both sides in one state of the target: what it has logged until then is applied to the file, to
 * whose tables nobody else writes. The application goes on meanwhile.
 */
export async function verifyBack(session: BackSession): Promise<LiveComparison> {
  const { file, second, ledger, graduation, options, progress, signal, changes } = session
  const started = performance.now()
  const whole: MoveOptions = { ...options, onBadValue: 'quarantine' }
  const compared = await second.reading(async () => {
    const logged = await changes[1].logged(session.tables)
    await file.lock(10_000, signal)
    try {
      await applyBack(session, changes[1], logged)
      file.writer.exec('COMMIT')
    } finally {
      file.unlock()
    }
    await using snapshot = await sqliteSource(file.path, {
      threads: readerThreads,
      during: (begin) => file.whileQuiet(begin),
    }).open(signal)
    const { tables: planned } = withoutCasts({ tables: session.aside.map((one) => one.planned) })
    const findings: Finding[] = []
    const tables: TableReport[] = []
    const sides = { snapshot, target: second, progress, signal }
    for (const { table, read, received } of await bothDigests(sides, planned, whole)) {
      const digestMatch = sameDigest(read.digest, received)
      tables.push({
        table: nameBeforeAside(table.source.name),
        sourceRows: read.rowsRead,
        targetRows: received.rows,
        quarantinedRows: read.rowsRead - read.digest.rows,
        digestMatch,
      })
      if (digestMatch) continue
      const found = await findDifferences(snapshot, second, table, whole, new Set())
      findings.push(...found.map((one) => ({ ...one, table: nameBeforeAside(table.source.name) })))
    }
    return { tables, findings, logged }
  })
  await changes[1].forget(compared.logged)
  const verified = verificationOf(compared.tables, 0, performance.now() - started)
  graduation.verified = verified
  await ledger.recordVerification(verified)
  return { verified, tables: compared.tables, findings: compared.findings }
}
