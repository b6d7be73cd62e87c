import { quoteIdentifier, type SqliteDatabase } from '@outgrow/databases'
import { messageOf } from '@outgrow/kit'

/** What SQLite finds when it looks at all of a file. */
export interface Integrity {
  /** What is damaged; empty when nothing is. */
  damage: string[]
  /** What could not be looked at. */
  notes: string[]
}

const maxLines = 20

/** Checks all of a file; table by table where something of it can only be checked by its application. */
export function checkIntegrity(database: SqliteDatabase, tables: string[]): Integrity {
  const whole = check(database, `integrity_check(${maxLines})`)
  if (typeof whole !== 'string') return { damage: whole, notes: [] }
  const integrity: Integrity = { damage: [], notes: [] }
  for (const table of tables) {
    const found = check(database, `integrity_check(${quoteIdentifier(table)})`)
    if (typeof found === 'string') integrity.notes.push(`SQLite could not check ${table}: ${found}`)
    else integrity.damage.push(...found)
  }
  return integrity
}

/** The damage, or why it could not be looked for: a function or a collation that only the application has. */
function check(database: SqliteDatabase, pragma: string): string[] | string {
  try {
    const lines = database.pragma(pragma) as { integrity_check: string }[]
    return lines.map((line) => line.integrity_check).filter((line) => line !== 'ok')
  } catch (error) {
    return isDamage(error) ? [messageOf(error)] : messageOf(error)
  }
}

/** Whether an error of SQLite says that the file is damaged. */
export function isDamage(error: unknown): boolean {
  return /^SQLITE_(CORRUPT|NOTADB|IOERR)/.test((error as { code?: string }).code ?? '')
}
