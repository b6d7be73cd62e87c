export { makeDatabase, type TestDatabase } from './databases.ts'
export { makeSqlite, temporaryFolder } from './sqlite.ts'
