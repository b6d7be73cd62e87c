export type { DatabaseCounters, ReplicaCounters, ReplicaStatus } from '@outgrow/databases'
export { postgresAdapter, sqliteAdapter } from './adapters.ts'
export type { Database, ProviderClient, Switched } from './database.ts'
export { isRetryable, isUnavailable, isUniqueViolation } from './errors.ts'
export {
  chunked,
  containsText,
  insertIgnore,
  jsonAt,
  lockForUpdate,
  orderWithNulls,
  withRetry,
} from './helpers.ts'
export { openDatabase, type DatabaseOptions } from './open-database.ts'
export type { GeneratedClients, ModelName, PrismaClientShape, TransactionClient } from './prisma-client.ts'
export { answerInOrder, positionCookie, positionHeader, readPosition } from './replicas/position-carriers.ts'
export type { ReplicaOptions } from './replicas/replica-options.ts'
export { storedModel, type StoredModel } from './prisma-internals.ts'
