import { dieAt } from '../../die-at.ts'
import { sameDigest } from '../../model/digest.ts'
import type { Finding } from '../../model/finding.ts'
import type { MoveOptions } from '../../model/options.ts'
import type { TableReport } from '../../model/report.ts'
import { verificationOf, type LastVerification } from '../../ledger/graduation.ts'
import { sqliteSource } from '../../source/sqlite/snapshot.ts'
import { bothDigests, withoutCasts } from '../compare-afresh.ts'
import { findDifferences } from '../differences.ts'
import { applyRead } from './catch-up.ts'
import { orphans } from './orphans.ts'
import type { LiveSession } from './session.ts'

export interface LiveComparison {
  verified: LastVerification
  tables: TableReport[]
  findings: Finding[]
}

/** The source is read by as many threads as keep two cores busy, beside the server. */
const readerThreads = 2

/**
 * Compares every row of both sides at one position of the log: nobody writes for the moment in which all readers begin,
 * what was committed until then is applied, and nothing more until everything was read. Writers go on meanwhile.
 */
export async function verifyLive(session: LiveSession): Promise<LiveComparison> {
  const { file, second, ledger, graduation, options, progress, signal } = session
  const started = performance.now()
  const source = sqliteSource(file.path, {
    threads: readerThreads,
    during: (begin) =>
      file.whileQuiet(() => {
        file.reader.exec('BEGIN')
        file.reader.prepare('SELECT count(*) FROM sqlite_schema').get()
        return begin()
      }),
  })
  try {
    await using snapshot = await source.open(signal)
    const { position } = await applyRead(session, { as: 'whole' })
    file.reader.exec('ROLLBACK')
    const { tables: planned } = withoutCasts({ tables: session.tables.map((one) => one.planned) })
    const whole: MoveOptions = { ...options, onBadValue: 'quarantine' }
    const findings: Finding[] = []
    const tables: TableReport[] = []
    const sides = { snapshot, target: second, progress, signal }
    for (const { table, read, received } of await bothDigests(sides, planned, whole)) {
      const digestMatch = sameDigest(read.digest, received)
      tables.push({
        table: table.source.name,
        sourceRows: read.rowsRead,
        targetRows: received.rows,
        quarantinedRows: read.rowsRead - read.digest.rows,
        digestMatch,
      })
      if (digestMatch) continue
      findings.push(
        ...(await second.reading(() => findDifferences(snapshot, second, table, whole, new Set()))),
      )
    }
    const pointless = await orphans(second.client, session)
    findings.push(...pointless)
    const count = pointless.reduce((sum, finding) => sum + finding.count, 0)
    const verified = verificationOf(tables, position, performance.now() - started, count)
    graduation.verified = verified
    await ledger.recordVerification(verified)
    dieAt('verified')
    return { verified, tables, findings }
  } finally {
    if (file.reader.inTransaction) file.reader.exec('ROLLBACK')
  }
}
