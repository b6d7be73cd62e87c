import type { SqliteDatabase } from '@outgrow/databases'
import { messageOf } from '@outgrow/kit'

/** What SQLite finds when it looks at all of a file. */
export interface Integrity {
  /** What is damaged; empty when nothing is. */
  damage: string[]
  /** What could not be looked at. */
  notes: string[]
}

const maxLines = 20

export function checkIntegrity(database: SqliteDatabase): Integrity {
  try {
    const lines = database.pragma(`integrity_check(${maxLines})`) as { integrity_check: string }[]
    const damage = lines.map((line) => line.integrity_check).filter((line) => line !== 'ok')
    return { damage, notes: [] }
  } catch (error) {
    if (isDamage(error)) return { damage: [messageOf(error)], notes: [] }
    // A module, a function or a collation that only the application has.
    return { damage: [], notes: [`SQLite could not check the integrity of the file: ${messageOf(error)}`] }
  }
}

/** Whether an error of SQLite says that the file is damaged. */
export function isDamage(error: unknown): boolean {
  return /^SQLITE_(CORRUPT|NOTADB|IOERR)/.test((error as { code?: string }).code ?? '')
}
