import { sqlTokens } from '../sqlite-ddl.ts'
import { statementsOf, type SqlStatement } from './statement.ts'

/** The statements of a script, without their `;`. The body of a trigger is part of its statement. */
export function sqliteStatements(sql: string): SqlStatement[] {
  return statementsOf(sql, sqlTokens(sql), (words) => words.at(-1) === 'BEGIN' && isTrigger(words))
}

const isTrigger = (words: string[]): boolean =>
  /^CREATE( TEMP| TEMPORARY)? TRIGGER\b/.test(words.slice(0, 3).join(' '))
