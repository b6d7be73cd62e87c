export { CertificateAuthority, hasOpenssl, type Certificate } from './authority.ts'
export { Choices } from './choices.ts'
export { citusUrl, readCitus, type CitusCluster } from './citus.ts'
export { makeDatabase, type TestDatabase } from './databases.ts'
export { LiveGraduation } from './live-graduation.ts'
export { ManagedPostgres, type ManagedBehaviour } from './managed-postgres.ts'
export { NarrowWay } from './narrow-way.ts'
export { ending } from './process.ts'
export { startReplication, type Replication, type Standby } from './replication.ts'
export {
  backends,
  isThere,
  makeProductDatabase,
  makeSampleDatabase,
  type Backend,
  type SchemaDatabase,
} from './schema-database.ts'
export { makeSqlite, temporaryFolder } from './sqlite.ts'
export { TcpGate } from './tcp-gate.ts'
export { until } from './until.ts'
