import { join, resolve } from 'node:path'
import { embeddedFolder, runningEmbedded } from '@outgrow/databases'
import { judgeArchiving, type ArchiveCheck } from '../archiving/judge.ts'
import { readArchiving } from '../archiving/readings.ts'
import { findArchiveSettings, openWalStore } from './archive-settings.ts'
import { readCoverage } from './coverage.ts'
import { noServer } from './init-embedded.ts'

const expected = {
  pattern: /archive-wal/,
  name: 'Outgrow’s',
  fix: 'Run outgrow backup init --to <folder or s3://bucket/prefix>.',
}

/** A base backup that is older makes recovery long, and keeps WAL from being removed. */
const oldBaseDays = 8

/**
 * Looks at the work folder's embedded server: whether it archives, and to which time it could be restored.
 * @throws Failure OUTGROW_ARCHIVE_NO_SERVER; of the storage
 */
export async function checkEmbedded(workDir: string, signal: AbortSignal): Promise<ArchiveCheck> {
  const server = await runningEmbedded(workDir)
  if (server === undefined) throw noServer(workDir)
  const readings = await readArchiving(server.url)
  const check = judgeArchiving(readings, expected)
  const settings = findArchiveSettings(embeddedFolder(join(resolve(workDir), 'postgres')))
  if (settings === undefined) return check
  const coverage = await readCoverage(await openWalStore(settings), undefined, signal)
  const mine = coverage.filter(({ details }) => details.archive === settings.archive)
  const [newest] = mine
  if (newest?.until === undefined) {
    check.findings.push({
      code: 'OUTGROW_BASE_MISSING',
      message: `${settings.location} has no base backup of this server whose WAL is complete.`,
      fix: 'Take one: outgrow backup base.',
    })
    return check
  }
  const oldest = mine.findLast(({ until }) => until !== undefined) ?? newest
  check.facts.push(
    `It can be restored to any time from ${oldest.from.toISOString()} to ${newest.until.toISOString()}.`,
  )
  const days = (readings.now.getTime() - newest.from.getTime()) / 86_400_000
  if (days > oldBaseDays) {
    check.findings.push({
      code: 'OUTGROW_BASE_OLD',
      message: `The newest base backup is ${Math.floor(days)} days old.`,
      fix: 'Take one every week: outgrow backup base.',
    })
  }
  return check
}
