import { historyOf, lineOf, readSchemaSource, validatePrismaSchema, type SchemaSource } from '@outgrow/schema'
import { Failure } from '@outgrow/kit'
import { changedFiles, changedLines, type LineChange } from './changes.ts'
import { placeTables, type Place, type Placement } from './placement.ts'
import { proof, type Proof } from './proof.ts'
import type { Rule, Violation } from './rule.ts'
import { rules } from './rules/index.ts'
import { readScaleSchema } from './scale-schema.ts'
import { schemaPerTenant, type SchemaPerTenant } from './schema-per-tenant.ts'
import { spreadingSql } from './spreading-sql.ts'
import { findTenant } from './tenant.ts'

export interface ScaleFinding {
  /** Of the twelve rules. */
  rule: number
  code: Rule['code']
  level: Violation['level']
  file: string
  /** 1-based. */
  line: number
  model: string
  field: string | null
  fact: string
  fix: string
  /** The schema's lines, with all changes made. */
  changes: LineChange[]
  /** What to write elsewhere, or to choose from. */
  example: string | null
}

export interface ScaleRule {
  number: number
  code: Rule['code']
  promise: string
  why: string
  /** `unseen`: neither the schema nor the migrations show it. */
  state: 'kept' | 'broken' | 'decide' | 'advice' | 'unseen'
  look: string | null
}

export interface ScaleReport {
  tenant: { model: string; field: string; why: string }
  tables: { model: string; table: string; place: Place }[]
  rules: ScaleRule[]
  findings: ScaleFinding[]
  /** The whole schema with every change made: for Postgres. */
  schema: { file: string; text: string }[]
  /** Why Prisma does not accept that schema; null where it does. */
  problem: string | null
  /** Statements that spread the tables. */
  spreading: string[]
  schemaPerTenant: SchemaPerTenant
  /** Null: the changed schema has not run on a cluster. */
  proof: Proof | null
}

/**
 * What a schema must change to be spread over a Citus cluster by its tenants' rows.
 * @param options `tenant`: `Organization` or `Organization.id`; guessed from the relations without
 * @throws Failure OUTGROW_SCHEMA_NOT_FOUND, OUTGROW_SCHEMA_INVALID, OUTGROW_TENANT_UNKNOWN, OUTGROW_TENANT_UNCLEAR
 */
export function lintScale(options: { schema: string; tenant?: string | undefined }): ScaleReport {
  return lintSource(readSchemaSource(options.schema), options.tenant)
}

export function lintSource(source: SchemaSource, named?: string): ScaleReport {
  validatePrismaSchema(source.files)
  const schema = readScaleSchema(source)
  const tenant = findTenant(schema, named)
  const placement = placeTables(schema, tenant)
  const { migrations, folder } = historyOf(source, 'postgres')
  const context = { placement, migrations: migrations.length === 0 ? undefined : migrations }
  const found = rules.map((rule) => ({ rule, violations: rule.find(context) }))
  const edits = found.flatMap(({ violations }) => (violations ?? []).flatMap((one) => one.edits))
  const files = changedFiles(source, edits)
  return {
    tenant: { model: tenant.model.name, field: tenant.key.name, why: tenant.why },
    tables: tablesOf(placement),
    rules: found.map(({ rule, violations }) => ({
      number: rule.number,
      code: rule.code,
      promise: rule.promise,
      why: rule.why,
      state: stateOf(violations),
      look: violations ? null : (rule.look ?? null),
    })),
    findings: found.flatMap(({ rule, violations }) =>
      (violations ?? []).map((violation): ScaleFinding => ({
        rule: rule.number,
        code: rule.code,
        level: violation.level,
        ...placeOf(violation, folder),
        model: violation.model.name,
        field: violation.field,
        fact: violation.fact,
        fix: violation.fix,
        changes: changedLines(violation.edits, edits),
        example: violation.example ?? null,
      })),
    ),
    schema: files.map(([file, text]) => ({ file, text })),
    problem: problemOf(files),
    spreading: spreadingSql(placement),
    schemaPerTenant: schemaPerTenant(placement, source),
    proof: proof ?? null,
  }
}

/** Whether something has to change, or to be decided. */
export const isSpreadable = ({ findings }: ScaleReport): boolean =>
  findings.every(({ level }) => level === 'advice')

function stateOf(violations: Violation[] | undefined): ScaleRule['state'] {
  if (!violations) return 'unseen'
  const has = (level: Violation['level']) => violations.some((one) => one.level === level)
  return has('change') ? 'broken' : has('decide') ? 'decide' : has('advice') ? 'advice' : 'kept'
}

function tablesOf({ schema, placeOf: place }: Placement): ScaleReport['tables'] {
  return [...schema.models.values()].map((model) => ({
    model: model.name,
    table: model.table,
    place: place(model),
  }))
}

function placeOf({ model, at, migration }: Violation, folder: string): { file: string; line: number } {
  if (migration) return { file: `${folder}/${migration.name}/migration.sql`, line: migration.line }
  return { file: model.file.path, line: lineOf(model.file.text, at.start) }
}

/** Only Postgres counts a column that is part of an id. */
function problemOf(files: SchemaSource['files']): string | null {
  try {
    validatePrismaSchema(
      files.map(([path, text]) => [path, text.replace(/^(\s*provider\s*=\s*)"sqlite"/m, '$1"postgresql"')]),
    )
    return null
  } catch (error) {
    if (error instanceof Failure) return error.message
    throw error
  }
}
