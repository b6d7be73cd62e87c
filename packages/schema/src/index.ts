export { renderDialects, type Dialects } from './dialects/dialects.ts'
export type { SchemaFinding } from './dialects/finding.ts'
export { generateSchemas, proveDialects, staleOutputs, writeGenerated, type Generated } from './generate.ts'
export { diffDatamodels, type Provider } from './engine/schema-engine.ts'
export {
  readDmmf,
  validatePrismaSchema,
  type Dmmf,
  type DmmfModel,
  type DmmfField,
} from './engine/prisma-wasm.ts'
export { storageMap, type StoredField, type StoredModel } from './storage-map.ts'
export { readSchemaSource, schemaSourceOf, type SchemaSource } from './source.ts'
export {
  introspectSchema,
  pullSchema,
  type PulledSchema,
  type RefusedTypes,
  type TypedColumn,
  type UnsupportedObject,
} from './pull/pull.ts'
export { writePulled } from './pull/write-pulled.ts'
export { writeOrCheck, type Generation } from './write-or-check.ts'
export {
  authorMigrations,
  isPending,
  writeMigrations,
  writeMigrationState,
  type Authored,
} from './migrations/author.ts'
export { buildFile } from './migrations/build-file.ts'
export { deployMigrations, type Deployed } from './migrations/deploy.ts'
export { historyOf, type StoredMigration } from './migrations/history.ts'
export { baselineDatabase, resolveMigration } from './migrations/resolve.ts'
export { proveMigrations, proveOnPostgres } from './migrations/prove.ts'
export { isUpToDate, migrationStatus, migrationStatuses, type MigrationStatus } from './migrations/status.ts'
export { appliedSql } from './migrations/records.ts'
export { planMigrations, type PlannedMigrations } from './migrations/plan.ts'
export {
  addToSchema,
  writeAdded,
  type AddedMembers,
  type AddedSchema,
  type Addition,
} from './add-to-schema.ts'
export { Edits } from './psl/edit.ts'
export { parsePrismaFile } from './psl/parse.ts'
export { indexSchema } from './source.ts'
export {
  argumentOf,
  attributeOf,
  fieldsOf,
  itemsOf,
  lineOf,
  stringOf,
  type Argument,
  type Attribute,
  type Block,
  type Expression,
  type Field,
  type PrismaFile,
} from './psl/syntax.ts'
