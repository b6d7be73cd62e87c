import { runScript, ScriptError, withScratchDatabase, type ScratchOptions } from '@outgrow/databases'
import { creatorOf, type CreatedByMigration } from '../created-by-migrations.ts'
import type { History } from './history.ts'
import { runMigrations } from './run.ts'

/**
 * The views that one side's migrations do not make yet: as the other side's do, where this database takes their SQL, else
 * a place for it.
 */
export async function carryViews(
  history: History,
  sql: string,
  elsewhere: CreatedByMigration[],
  scratch: ScratchOptions,
): Promise<{ sql: string; warnings: string[] }> {
  const { provider, migrations } = history
  const isPlaced = (name: string) => migrations.some((migration) => migration.sql.includes(stubHead(name)))
  const missing = elsewhere.filter(
    ({ kind, name }) => kind === 'view' && !creatorOf([history], 'view', name) && !isPlaced(name),
  )
  if (missing.length === 0) return { sql: '', warnings: [] }
  const warnings: string[] = []
  const parts: string[] = []
  await withScratchDatabase(provider, scratch, async (url) => {
    await runMigrations(url, [...migrations, { name: 'this', sql }])
    for (const { name, made } of missing) {
      const refused = made ? await refusal(url, made.statement) : 'no migration defines it'
      if (made && refused === undefined) {
        parts.push(`-- View "${name}", as ${made.migration} creates it\n${made.statement};\n`)
        continue
      }
      warnings.push(`View ${name} is not created: ${refused}. Add its SQL to the migration.`)
      const original = made ? `\n-- ${made.statement.replaceAll('\n', '\n-- ')}` : ''
      parts.push(`${stubHead(name)}: ${refused?.replaceAll(/\s+/g, ' ')}${original}\n`)
    }
  })
  return { sql: parts.length === 0 ? '' : `\n${parts.join('\n')}`, warnings }
}

const stubHead = (name: string): string => `-- View "${name}" must be created here`

async function refusal(url: string, statement: string): Promise<string | undefined> {
  try {
    await runScript(url, statement)
    return undefined
  } catch (error) {
    if (error instanceof ScriptError) return error.message
    throw error
  }
}
