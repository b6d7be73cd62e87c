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
