import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { temporaryFolder } from '@outgrow/testing'
import { schemaSourceOf, type SchemaSource } from '../src/index.ts'

/** A project folder with these migrations of one provider, named 1_…, 2_… in order. */
export function projectWith(
  provider: 'sqlite' | 'postgres',
  migrations: Record<string, string>,
  { schema = '', own = false, folder = temporaryFolder() } = {},
): { source: SchemaSource; folder: string } {
  const history = own ? join(folder, 'migrations') : join(folder, provider, 'migrations')
  for (const [name, sql] of Object.entries(migrations)) {
    const file = join(history, name, 'migration.sql')
    mkdirSync(dirname(file), { recursive: true })
    writeFileSync(file, sql)
  }
  mkdirSync(history, { recursive: true })
  const lock = `provider = "${provider === 'sqlite' ? 'sqlite' : 'postgresql'}"\n`
  writeFileSync(join(history, 'migration_lock.toml'), lock)
  return { source: schemaSourceOf(schema, folder), folder: history }
}
