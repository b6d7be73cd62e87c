import { movedTable, openSqliteInMemory, quoteIdentifier } from '@outgrow/databases'
import { messageOf } from '@outgrow/kit'
import { writeSchema, type SchemaRow } from './schema-rows.ts'

/**
 * Reads the schema in a database without rows, before it is in the file: every table can be read.
 * @param moved names that must fail
 */
export function tryOut(rows: SchemaRow[], moved: string[]): void {
  const database = openSqliteInMemory()
  try {
    // Nothing is read from the pages, but their numbers must exist.
    const pages = rows.length + 2
    database.pragma('page_size = 512')
    database.exec(`CREATE TABLE pages (x); INSERT INTO pages VALUES (zeroblob(512 * ${pages}))`)
    let page = 2
    const numbered = rows.map((row) => ({ ...row, rootpage: row.rootpage === 0 ? 0 : page++ }))
    writeSchema(database, 0, { removed: [1], changed: [], added: numbered })
    for (const { type, name, rootpage } of rows) {
      if (type === 'table' && rootpage > 0) database.prepare(`SELECT 1 FROM ${quoteIdentifier(name)}`)
    }
    for (const name of moved) {
      const problem = problemOf(() => database.prepare(`SELECT * FROM ${quoteIdentifier(name)}`))
      if (!problem?.includes(movedTable)) throw new Error(`${name} would still be there: ${problem}`)
    }
  } catch (error) {
    throw new Error(`The schema cannot be rewritten: ${messageOf(error)}`, { cause: error })
  } finally {
    database.close()
  }
}

function problemOf(act: () => unknown): string | undefined {
  try {
    act()
    return undefined
  } catch (error) {
    return messageOf(error)
  }
}
