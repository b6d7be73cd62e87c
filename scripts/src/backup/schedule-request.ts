import type { ScheduleRequest } from '@outgrow/operations'
import { numberOf } from '../number-option.ts'
import { intervalOf } from './interval.ts'
import { backedUpUrl } from './backed-up-url.ts'
import { drillServer, protectionOf, storageOf } from './options.ts'

export interface ScheduleOptions {
  database?: string
  to?: string
  every: string
  drillEvery: string
  keepDaily: string
  keepWeekly: string
  server?: string
  unencrypted?: boolean
  workDir: string
  dryRun?: boolean
  json?: boolean
}

/** What a schedule is asked for. @throws Failure OUTGROW_OPTION_INVALID, OUTGROW_BACKUP_KEY_MISSING, OUTGROW_BACKUP_KEY_INVALID */
export async function scheduleRequest(
  options: ScheduleOptions,
): Promise<Omit<ScheduleRequest, 'signal' | 'onProgress' | 'onDone' | 'onFailure'>> {
  await backedUpUrl(options.database) // what cannot be a database is no reason to try again
  const { storage } = await storageOf('--to', options.to)
  const { workDir, drillEvery } = options
  const limits = { least: 0, most: 10_000, isWhole: true }
  return {
    database: () => backedUpUrl(options.database),
    storage,
    protection: protectionOf(options),
    everyMs: intervalOf('--every', options.every),
    drillEveryMs: drillEvery === 'never' ? undefined : intervalOf('--drill-every', drillEvery),
    keepDaily: numberOf('keep-daily', options.keepDaily, limits),
    keepWeekly: numberOf('keep-weekly', options.keepWeekly, limits),
    server: drillServer(options.server),
    workDir,
  }
}
