import { quoteIdentifier } from '@outgrow/databases/quote'
import type { SqliteDatabase } from '@outgrow/databases/sqlite'
import type { PlannedColumn } from '../../model/plan.ts'
import { decodeField, isCast, sqlType } from '../../types/value-types.ts'

/** How a value goes into a column of the file. */
export type StoredForm = (field: Buffer | null) => unknown

const seen = 50
/** As Prisma writes it, without microseconds. */
const exactly = /T\d\d:\d\d:\d\d\.\d{3}\+00:00$/
const spaced = /^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d$/

/** How a column writes moments: milliseconds since 1970, or one of the texts that applications write. */
export type Spelling = 'number' | 'spaced' | 'zulu' | 'iso'

/**
 * The form in which a column's values are written: the canonical one of Prisma, but moments as the column has them by now,
 * since numbers and texts do not sort together.
 */
export function storedForm(column: PlannedColumn, spelling: () => Spelling): StoredForm {
  const { target } = column
  if (isCast(column)) return (field) => field && field.toString('utf8')
  const kind = target.element ? 'json' : sqlType(target.type)?.kind
  const decoded: StoredForm = (field) => {
    if (field === null) return null
    const value = decodeField(target, field)
    if (value === undefined) return field.toString('utf8')
    // The driver binds every number as a float.
    const isWhole =
      kind === 'number' || kind === 'bool' || (target.type === 'oid' && typeof value === 'number')
    if (isWhole && typeof value === 'number') return BigInt(value)
    return target.type === 'numeric' && target.modifier >= 0 ? wholeOf(value as string) : value
  }
  if (kind !== 'moment' && !/^time(tz)?$/.test(target.type)) return decoded
  const spelled = spelling()
  return (field) => {
    const text = decoded(field)
    if (typeof text !== 'string') return text
    if (spelled === 'number' && exactly.test(text)) return BigInt(Date.parse(text))
    if (spelled === 'spaced' && text.endsWith('.000+00:00')) return text.slice(0, 19).replace('T', ' ')
    return spelled === 'zulu' ? text.replace('+00:00', 'Z') : text
  }
}

/** A whole number that SQLite has as one: of a text with zeros behind the point it would make a double. */
function wholeOf(text: string): unknown {
  const digits = /^(-?\d{1,19})(?:\.0+)?$/.exec(text)?.[1]
  if (digits === undefined) return text
  const value = BigInt(digits)
  return BigInt.asIntN(64, value) === value ? value : text
}

/** Other ways in which applications write the same value. */
export function otherForms({ target }: PlannedColumn, field: Buffer): unknown[] {
  const value = target.element ? undefined : decodeField(target, field)
  if (typeof value !== 'string') return []
  if (target.type === 'uuid') return [value, value.toUpperCase()]
  if (target.type === 'numeric') return [value, Number(value)]
  if (sqlType(target.type)?.kind !== 'moment') return []
  return [
    value,
    value.replace('+00:00', 'Z'),
    ...(exactly.test(value) ? [BigInt(Date.parse(value))] : []),
    ...(value.endsWith('.000+00:00') ? [value.slice(0, 19).replace('T', ' ')] : []),
    ...(value.endsWith('T00:00:00.000+00:00') ? [value.slice(0, 10)] : []),
  ]
}

/** How a column of a file that is there spells moments by now. */
export function spelledAs(database: SqliteDatabase, table: string, column: string): Spelling {
  const name = quoteIdentifier(column)
  const values = database
    .prepare(`SELECT ${name} FROM ${quoteIdentifier(table)} WHERE ${name} IS NOT NULL LIMIT ${seen}`)
    .pluck()
    .all()
  const all = (test: (value: unknown) => boolean) => values.length > 0 && values.every(test)
  if (all((value) => typeof value === 'number')) return 'number'
  if (all((value) => typeof value === 'string' && spaced.test(value))) return 'spaced'
  return all((value) => typeof value === 'string' && value.endsWith('Z')) ? 'zulu' : 'iso'
}
