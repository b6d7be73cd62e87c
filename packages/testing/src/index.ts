export { makeDatabase, type TestDatabase } from './databases.ts'
export { ending } from './process.ts'
export { makeProductDatabase, type ProductDatabase } from './product-database.ts'
export { makeSqlite, temporaryFolder } from './sqlite.ts'
