import { lineAt, ScriptError, type SqlStatement } from './statement.ts'

const begins = /^(BEGIN|START TRANSACTION)( (WORK|TRANSACTION|DEFERRED|IMMEDIATE|EXCLUSIVE))*$/
const ends = /^(COMMIT|END)( (WORK|TRANSACTION))?$/
const controls =
  /^(BEGIN|START TRANSACTION|COMMIT|END|ABORT|ROLLBACK(?! (WORK |TRANSACTION )?TO\b)|PREPARE TRANSACTION)\b/

/**
 * The BEGIN and COMMIT statements of a script. In pairs they may be left out: the whole script is one transaction anyway.
 * @throws ScriptError where the script ends transactions in another way
 */
export function transactionPairs(sql: string, statements: SqlStatement[]): SqlStatement[] {
  const found = statements.filter(({ words }) => controls.test(words.join(' ')))
  const odd = found.find(({ words }, at) => !(at % 2 === 0 ? begins : ends).test(words.join(' ')))
  const wrong = odd ?? (found.length % 2 === 1 ? found.at(-1) : undefined)
  if (!wrong) return found
  throw new ScriptError(
    `${wrong.words.slice(0, 3).join(' ')} starts or ends a transaction, but a migration already runs in one.`,
    {
      line: lineAt(sql, wrong.start),
      beforehand: true,
      fix: 'Remove the transaction statements, or split the file into one migration per transaction.',
    },
  )
}

/** The statement that cannot be part of a transaction, where it does not stand alone. */
export function assertStandsAlone(
  sql: string,
  statements: SqlStatement[],
  lonely: (words: string) => boolean,
): void {
  if (statements.length < 2) return
  const found = statements.find(({ words }) => lonely(words.join(' ')))
  if (!found) return
  throw new ScriptError(
    `${found.words.slice(0, 3).join(' ')} … cannot run inside a transaction, but the migration contains other statements.`,
    {
      line: lineAt(sql, found.start),
      beforehand: true,
      fix: 'Move this statement to a migration of its own, in a folder whose name sorts where it must run.',
    },
  )
}
