import { join, resolve } from 'node:path'
import { embeddedFolder, runningEmbedded } from '@outgrow/databases'
import { judgeArchiving, type ArchiveCheck } from '../archiving/judge.ts'
import { readArchiving } from '../archiving/readings.ts'
import { findArchiveSettings, openWalStore } from './archive-settings.ts'
import { readCoverage } from './coverage.ts'
import { noServer } from './init-embedded.ts'
import { judgeCoverage } from './judge-coverage.ts'

const expected = {
  pattern: /archive-wal/,
  name: 'Outgrow’s',
  fix: 'Run outgrow backup init --to <folder or s3://bucket/prefix>.',
}

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
  judgeCoverage(check, mine, { location: settings.location, now: readings.now })
  return check
}
