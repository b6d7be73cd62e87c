export {
  asidePrefix,
  authorityDdl,
  authorityLock,
  nameBeforeAside,
  listProcesses,
  movedTable,
  readAuthority,
  writeAuthority,
  type ApplicationProcess,
  type Authority,
  type GraduationState,
  type TargetIdentity,
} from './authority.ts'
export { AuthorityWatch } from './authority-watch.ts'
export { ProcessRow, type ProcessState } from './process-row.ts'
export { isSameTarget, readTargetIdentity, targetIdentity } from './target-identity.ts'
export { withBaseBackup, type BaseBackup } from './base-backup.ts'
export { copyIn, copyOut } from './copy.ts'
export { copySqliteFile, removeSqliteFile, type CopyListener } from './copy-sqlite.ts'
export { runBatch, type BatchStatement } from './batch.ts'
export {
  embeddedFolder,
  embeddedState,
  hasEmbeddedPostgres,
  removeEmbeddedPostgres,
  startEmbeddedPostgres,
  stopEmbeddedPostgres,
  type EmbeddedFolder,
  type EmbeddedPostgres,
} from './embedded-postgres.ts'
export { addressOf } from './address.ts'
export {
  connectPostgres,
  tlsSettingsOf,
  withPlainPostgres,
  withPostgres,
  type PostgresClient,
} from './postgres.ts'
export type { SslMode } from './tls.ts'
export { sessionUrlOf } from './session-url.ts'
export { isPooled, pooled, refusePooled } from './pooled.ts'
export { directUrlOf, pooledUrlOf, providerOf, type Managed } from './providers/find.ts'
export { notesFor, otherHosts, type Use } from './providers/notes.ts'
export type { Address, Endpoint, Fact, Provider as ManagedProvider } from './providers/provider.ts'
export { providers } from './providers/providers.ts'
export { requireDirect } from './providers/require-direct.ts'
export { examineConnection, type ExaminedConnection } from './providers/examine-connection.ts'
export { makeFolder } from './make-folder.ts'
export { pipelined } from './pipelined.ts'
export { runStatements } from './run-statements.ts'
export { describeSchemas, grantKinds, missingItems, type DescribedItem } from './postgres-structure.ts'
export { describeSqlite } from './sqlite-structure.ts'
export { runningEmbedded, startEmbedded, stateDirectory } from './work-folder.ts'
export { makeOwnedFolder, removeAbandonedFolders, type OwnedFolder } from './owned-folder.ts'
export { removeAbandonedScratch, withScratchDatabase, type ScratchOptions } from './scratch-database.ts'
export { quoteIdentifier, quoteLiteral } from './quote.ts'
export { isLongName, shortName } from './short-name.ts'
export {
  detachedEngineAdapter,
  engineAdapter,
  runScript,
  withMigrationLock,
  type LiveEngineAdapter,
  type SchemaEngineAdapter,
} from './schema-engine-adapter.ts'
export {
  createSqlite,
  openSqlite,
  openSqliteForLock,
  openSqliteInMemory,
  openSqliteReadonly,
  refuseMissingFolder,
  sqliteVersion,
  traceRemover,
  withoutSidecarFiles,
  type SqliteDatabase,
} from './sqlite.ts'
export { connectSql, type SqlConnection } from './sql-connection.ts'
export {
  parseDatabaseUrl,
  parsePostgresUrl,
  parseSqliteSource,
  unquoted,
  type PostgresUrl,
  type SqliteUrl,
} from './url.ts'
export { readTableDetails, splitTokens, sqlTokens, unquoteSql, type SqlToken } from './sqlite-ddl.ts'
export type { VirtualTable } from './sqlite-virtual.ts'
export {
  readSourceTables,
  type SourceColumn,
  type SourceForeignKey,
  type SourceTable,
} from './sqlite-catalog.ts'
export {
  countError,
  countTime,
  emptyCounters,
  emptyDurations,
  quantileMs,
  slotEndsMs,
  type DatabaseCounters,
  type Durations,
} from './adapters/counters.ts'
export { connectionLimit, poolTimeoutSeconds } from './adapters/pool-parameters.ts'
export { postgresAdapterFactory, type PostgresAdapterOptions } from './adapters/postgres-adapter.ts'
export {
  sqliteAdapterFactory,
  stockSqliteAdapter,
  type SqliteAdapterOptions,
} from './adapters/sqlite-adapter.ts'
export type { SqlDriverAdapterFactory as DriverAdapterFactory } from '@prisma/driver-adapter-utils'
export { PrimaryWal } from './replicas/primary-wal.ts'
export {
  emptyReplicaCounters,
  type PrimaryReason,
  type ReplicaCounters,
  type ReplicaStatus,
} from './replicas/replica-counters.ts'
export { ReplicaMonitor, type ReplicaHooks, type ReplicaLimits } from './replicas/replica-monitor.ts'
export {
  formatPosition,
  hasReached,
  isSameHistory,
  parsePosition,
  type WalPosition,
} from './replicas/wal-position.ts'
export { TransactionScope, type PinnedOperation, type Provider } from './adapters/transaction-scope.ts'
export { atomicPostgresScript } from './scripts/postgres-script.ts'
export { atomicSqliteScript, runSqliteScript, type ScriptNote } from './scripts/sqlite-script.ts'
export { postgresStatements, postgresTokens } from './scripts/postgres-statements.ts'
export { sqliteStatements } from './scripts/sqlite-statements.ts'
export { lineAt, ScriptError, type SqlStatement } from './scripts/statement.ts'
