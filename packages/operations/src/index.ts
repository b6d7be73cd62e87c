export { checkPool, type CheckedPool, type CheckRequest } from './pool/check/check-pool.ts'
export {
  readPooler,
  withConsole,
  type ConsoleRow,
  type PoolerReadings,
} from './pool/check/pooler-readings.ts'
export type { PoolFinding } from './pool/check/pool-readings.ts'
export { preparePool, type PreparedPool, type PrepareRequest } from './pool/prepare-pool.ts'
export type { PoolSetting } from './pool/plan-pool.ts'
export { writePoolFiles } from './pool/write-files.ts'
export {
  isSpreadable,
  lintScale,
  lintSource,
  type ScaleFinding,
  type ScaleReport,
  type ScaleRule,
} from './scale/lint-scale.ts'
export { backupStates, type BackupStates } from './backup/catalog/backup-states.ts'
export type { PrunePlan } from './backup/catalog/plan-prune.ts'
export {
  isProved,
  isWhole,
  readCatalog,
  type Catalog,
  type StoredBackup,
} from './backup/catalog/read-catalog.ts'
export type { Drill, DrillHeader } from './backup/model/drill.ts'
export type { Manifest } from './backup/model/manifest.ts'
export type { BackupProgress } from './backup/model/source.ts'
export type { Storage } from './backup/model/storage.ts'
export { listBackups, type ListedBackup } from './backup/catalog/list-backups.ts'
export { planBackup, type BackupPlan } from './backup/runs/plan-backup.ts'
export { summaryOf, type BackupSummary } from './backup/runs/report.ts'
export { runBackup, type BackupRequest } from './backup/runs/run-backup.ts'
export { runDrill, type DrillRequest } from './backup/runs/run-drill.ts'
export { runPrune, type PruneResult } from './backup/runs/run-prune.ts'
export type { Across } from './backup/runs/restore-across.ts'
export type { Schedule, Work } from './backup/runs/next-work.ts'
export { dueWork, runSchedule, type ScheduledWork, type ScheduleRequest } from './backup/runs/run-schedule.ts'
export { runRestore, type RestoreRequest, type RestoreResult } from './backup/runs/run-restore.ts'
export { readBackupKey, type Protection } from './backup/seal/backup-key.ts'
export { openStorage, splitLocation } from './backup/storage/open-storage.ts'
export { checkServer } from './backup/pgbackrest/check-server.ts'
export { initOwnServer, type InitOwnServerResult } from './backup/pgbackrest/init-own-server.ts'
export type { ArchiveCheck, ArchiveFinding } from './backup/archiving/judge.ts'
export { checkEmbedded } from './backup/pitr/check-embedded.ts'
export { initEmbedded, type InitEmbeddedResult } from './backup/pitr/init-embedded.ts'
export { recover, type Recovered, type RecoverRequest } from './backup/pitr/recover.ts'
export { takeBase } from './backup/pitr/take-base.ts'
