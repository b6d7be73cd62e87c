import { lineOf } from '@outgrow/schema'
import { postgresStatements, postgresTokens } from '@outgrow/databases'
import type { Rule, RuleContext, Violation } from '../rule.ts'
import type { ScaleModel } from '../scale-schema.ts'

export const triggers: Rule = {
  number: 7,
  code: 'OUTGROW_SCALE_TRIGGER',
  promise: 'No table of tenants has triggers.',
  why: 'Citus refuses them on tables that are spread.',
  find: ({ migrations, placement }) => migrations && triggersIn(migrations, placement),
  look: 'There are no migrations for Postgres to look at.',
}

interface Trigger {
  name: string
  violation: Violation
}

function triggersIn(
  migrations: NonNullable<RuleContext['migrations']>,
  placement: RuleContext['placement'],
): Violation[] {
  const byTable = new Map<string, ScaleModel>()
  for (const model of placement.schema.models.values())
    if (placement.placeOf(model) === 'tenant') byTable.set(model.table, model)
  let found: Trigger[] = []
  for (const { name: migration, sql } of migrations) {
    for (const { start, end, words } of postgresStatements(sql)) {
      const head = words.join(' ')
      const isMade = /^CREATE( OR REPLACE)?( CONSTRAINT)? TRIGGER\b/.test(head)
      if (!isMade && !/^DROP TRIGGER\b/.test(head)) continue
      const { name, table } = triggerOf(sql.slice(start, end))
      const model = byTable.get(table)
      if (!model) continue
      found = found.filter((one) => one.name !== name || one.violation.model !== model)
      if (!isMade) continue
      const line = lineOf(sql, start)
      found.push({
        name,
        violation: {
          level: 'change',
          model,
          at: model.block.nameSpan,
          field: null,
          fact: `The migration ${migration} creates the trigger ${name} on ${table}.`,
          fix: 'Do in the application what it does, and drop it in a new migration.',
          edits: [],
          example: `DROP TRIGGER ${quoted(name)} ON ${quoted(table)};`,
          migration: { name: migration, line },
        },
      })
    }
  }
  return found.map(({ violation }) => violation)
}

/** `x` and `y` of `CREATE TRIGGER x AFTER INSERT ON "public"."y" …`. */
function triggerOf(statement: string): { name: string; table: string } {
  const tokens = postgresTokens(statement).map(({ start, end }) => statement.slice(start, end))
  const word = (at: number) => tokens[at]?.toLowerCase()
  let at = tokens.findIndex((text) => text.toLowerCase() === 'trigger') + 1
  if (word(at) === 'if') at += 2
  let on = tokens.findIndex((text, index) => index > at && text.toLowerCase() === 'on') + 1
  while (tokens[on + 1] === '.') on += 2
  return { name: bare(tokens[at]), table: bare(tokens[on]) }
}

const bare = (name = ''): string =>
  name.startsWith('"') ? name.slice(1, -1).replaceAll('""', '"') : name.toLowerCase()

const quoted = (name: string): string => `"${name.replaceAll('"', '""')}"`
