import { sqlTokens } from '../sqlite-ddl.ts'
import type { SqlStatement } from './statement.ts'

/** The statements of a script, without their `;`. The body of a trigger is part of its statement. */
export function sqliteStatements(sql: string): SqlStatement[] {
  const statements: SqlStatement[] = []
  let current: SqlStatement | undefined
  let depth = 0
  for (const { kind, text, start, end } of sqlTokens(sql)) {
    if (kind === 'mark' && text === ';' && depth === 0) {
      if (current) statements.push(current)
      current = undefined
      continue
    }
    current ??= { start, end, words: [] }
    current.end = end
    if (kind !== 'word') continue
    const word = text.toUpperCase()
    const isTrigger = /^CREATE( TEMP| TEMPORARY)? TRIGGER\b/.test(current.words.slice(0, 3).join(' '))
    if (isTrigger && (word === 'CASE' || (word === 'BEGIN' && depth === 0))) depth++
    else if (depth > 0 && word === 'END') depth--
    current.words.push(word)
  }
  if (current) statements.push(current)
  return statements
}
