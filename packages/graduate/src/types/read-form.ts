import { quoteIdentifier } from '@outgrow/databases/quote'
import type { PlannedColumn } from '../model/plan.ts'
import type { TargetColumn } from '../model/table.ts'
import { isCast } from './value-types.ts'

/** How a column of Postgres is read, so that its values can go into a file. */
export interface ReadForm {
  /** The column, as if it had the type in which it is read. */
  column: PlannedColumn
  /** SQL of its value, where its table is called `t`. */
  sql: string
  /** The value is read as the server stores it. */
  isStored: boolean
}

/** The type in which a column is read that has no binary form here, or has digits that mean nothing. */
export function readForm(column: PlannedColumn): ReadForm {
  const { target } = column
  const own = `t.${quoteIdentifier(target.name)}`
  const as = (sql: string, type: string): ReadForm => ({
    column: { ...column, castTo: undefined, target: { ...target, type, modifier: -1, ...plain } },
    sql,
    isStored: false,
  })
  if (target.type === 'money') return as(`trim_scale(${own}::numeric)`, 'numeric')
  // Zeros at the end that no scale demands: a file has numbers, and they have none.
  if (target.type === 'numeric' && !hasScale(target)) return as(`trim_scale(${own})`, 'numeric')
  if (isCast(column) && target.element !== undefined) return as(`to_jsonb(${own})`, 'jsonb')
  if (isCast(column)) return as(printed(own), 'text')
  return { column, sql: own, isStored: true }
}

const plain = { element: undefined, enumValues: undefined }

/** `numeric(p, s)` with an `s` that is not negative, which each of its values has. */
function hasScale({ modifier, element }: TargetColumn): boolean {
  return element !== undefined || (modifier >= 4 && ((modifier - 4) & 0x7ff) < 1024)
}

/** SQL of a value as the server prints it: of some types, such as `inet`, a cast to text says more. */
export function printed(sql: string): string {
  return `CASE WHEN ${sql} IS NOT NULL THEN format('%s', ${sql}) END`
}
