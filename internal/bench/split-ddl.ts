import { readFileSync } from 'node:fs'

/** Splits a file of DDL for a load by others: tables without keys, and what comes after the load. */
export function splitDdl(file: string): { tables: string; rest: string } {
  const keys: string[] = []
  const tables: string[] = []
  const rest: string[] = []
  for (const statement of readFileSync(file, 'utf8')
    .replaceAll(/^--.*$/gm, '')
    .split(/;\s*$/m)) {
    const text = statement.trim()
    if (text.startsWith('CREATE TABLE')) {
      const table = /CREATE TABLE ("\w+")/.exec(text)?.[1]
      tables.push(
        text.replace(/,\s*(CONSTRAINT "\w+" PRIMARY KEY \(.*?\))/, (_, key: string) => {
          keys.push(`ALTER TABLE ${table} ADD ${key}`)
          return ''
        }),
      )
    } else if (text !== '' && !text.startsWith('CREATE SCHEMA')) rest.push(text)
  }
  const script = (statements: string[]) => statements.map((text) => `${text};\n`).join('')
  return { tables: script(tables), rest: script([...keys, ...rest, 'ANALYZE']) }
}
