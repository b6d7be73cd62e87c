export type { DatabaseCounters } from '@outgrow/databases'
export type { Database, TransactionClient } from './database.ts'
export {
  chunked,
  containsText,
  insertIgnore,
  isRetryable,
  isUnavailable,
  isUniqueViolation,
  jsonAt,
  lockForUpdate,
  orderWithNulls,
  withRetry,
  type ModelName,
} from './helpers.ts'
export { openDatabase } from './open-database.ts'
export { Prisma, type PrismaClient } from './generated/sqlite/client.ts'
export * from './generated/sqlite/enums.ts'
export { openBareClient } from './bare-client.ts'
