import { Refusal, type Finding } from '../../model/finding.ts'
import type { PlannedTable } from '../../model/plan.ts'
import { planReverse, type ReversePlan } from '../../model/reverse-plan.ts'
import { readForm, type ReadForm } from '../../types/read-form.ts'
import { beyondSchema } from '../../target/postgres/beyond-schema.ts'
import { quarantinedNote, unknownRows } from '../../target/postgres/unknown-rows.ts'
import { userSchemas, userTables } from '../../target/postgres/user-tables.ts'
import { prepare } from '../prepare.ts'
import type { Step } from '../step.ts'
import { makeFile } from './make-file.ts'
import { openPostgres } from './open-postgres.ts'
import type { ReverseRequest } from './reverse-request.ts'
import { typeDrift } from './type-drift.ts'

/** A table on both sides. */
export interface PairedTable {
  /** As the server stores it. */
  planned: PlannedTable
  forms: ReadForm[]
  /** With its columns in the types in which they are read. */
  read: PlannedTable
}

export interface Paired {
  plan: ReversePlan
  tables: PairedTable[]
}

/**
 * Pairs the tables of Postgres with those of the file, and names what Postgres has beyond the schema.
 * @throws Refusal OUTGROW_SCHEMA_DRIFT where rows or values would stay behind
 */
export const pairTables: Step<Paired, ReverseRequest> = {
  name: 'pair',
  title: 'Pair tables and columns',
  run: async (run) => {
    const { client } = run.of(openPostgres)
    const { options, target } = run.request
    const made = run.of(makeFile)
    const { storage } = run.of(prepare)
    const schemas = await userSchemas(client)
    const targets = await userTables(client, schemas)
    const plan = planReverse(made.tables, storage, targets, target.schema, options)
    const { refused, left } = await unknownRows(client, plan)
    const drift = [...plan.drift, ...refused, ...typeDrift(plan.tables, storage)]
    if (drift.length > 0) throw drifted(drift)
    const tables = plan.tables.map((planned) => {
      const forms = planned.columns.map(readForm)
      return { planned, forms, read: { ...planned, columns: forms.map(({ column }) => column) } }
    })
    const beyond = await beyondSchema(client, {
      schemas,
      home: target.schema,
      tables: plan.tables,
      file: made.objects,
      skipped: options.skipObjects,
    })
    plan.notes.push(...beyond.notes, ...(await quarantinedNote(client, target.schema)))
    return { value: { plan, tables }, findings: [...left, ...beyond.findings] }
  },
}

function drifted(findings: Finding[]): Refusal {
  const shown = findings.slice(0, 8)
  const names = shown.map(
    ({ table, column, reason }) => `${table}${column === null ? '' : `.${column}`}: ${reason}`,
  )
  const more = findings.length > shown.length ? ` And ${findings.length - shown.length} more.` : ''
  return new Refusal(
    {
      code: 'OUTGROW_SCHEMA_DRIFT',
      message: `Postgres and the schema differ: ${names.join(' ')}${more}`,
      why: 'The schema says what the file has: anything else would be left behind silently.',
      fix: `Pass the schema that this database was made with, or skip these by name: ${shown.flatMap(({ fixes }) => fixes).join(' ')}`,
    },
    findings,
  )
}
