import {
  backupThresholds,
  insideThresholds,
  postgresThresholds,
  soonDays,
  sqliteThresholds,
} from '@outgrow/signs'

/**
 * Where alerts begin. What doctor judges, they take from its thresholds, at the level at which it says to plan; the rest is
 * here. Seconds, bytes and shares, as Prometheus has them.
 */
export const limits = {
  eventWaitSeconds: 300,
  /** Where doctor begins to watch: a backup that is late is not waited for. */
  backupSeconds: backupThresholds.backup.watch * 3600,
  drillSeconds: backupThresholds.drill.watch * 3600,
  freeShareOfDisk: 0.1,
  failedShareOfRequests: 0.05,
  graduationLagSeconds: 60,
  connectionsShare: postgresThresholds.connections.plan,
  connectionWaitSeconds: postgresThresholds['connection-wait'].plan / 1000,
  oldestTransactionSeconds: postgresThresholds['oldest-transaction'].plan / 1000,
  wraparoundAge: postgresThresholds.wraparound.plan,
  replicaLagSeconds: postgresThresholds['replica-lag'].plan / 1000,
  lockWaitSeconds: sqliteThresholds['lock-wait'].plan / 1000,
  writeDuty: sqliteThresholds['write-duty'].plan,
  busyErrorsPerMinute: sqliteThresholds['busy-errors'].plan,
  checkpointLagPages: sqliteThresholds['checkpoint-lag'].plan,
  fileBytes: sqliteThresholds['file-size'].plan,
  watchedFileBytes: sqliteThresholds['file-size'].watch,
  fileSoonSeconds: soonDays * 86_400,
  eventLoopSeconds: insideThresholds['event-loop'].plan / 1000,
} as const
