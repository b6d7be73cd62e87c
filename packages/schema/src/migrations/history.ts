import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import type { Provider } from '../engine/schema-engine.ts'
import { declaredProvider, type SchemaSource } from '../source.ts'

/** One migration of a folder in Prisma Migrate's layout. */
export interface StoredMigration {
  name: string
  sql: string
}

/** A provider's migrations, wherever the project keeps them. */
export interface History {
  provider: Provider
  /** Absolute path; it may not exist yet. */
  folder: string
  migrations: StoredMigration[]
}

/**
 * The history of one provider: `<provider>/migrations` beside the generated schema, else the project's own `migrations`,
 * where they are of that provider.
 */
export function historyOf(source: SchemaSource, provider: Provider): History {
  const generated = join(source.home, provider, 'migrations')
  const own = [
    configuredFolder(source),
    join(source.directory, 'migrations'),
    join(source.home, 'migrations'),
  ]
  const candidates = [generated, ...own.filter((path) => path !== undefined)]
  const folder =
    candidates.find(
      (path) =>
        readMigrations(path).length > 0 && (path === generated || providerOf(path, source) === provider),
    ) ?? generated
  return { provider, folder, migrations: readMigrations(folder) }
}

/** `migrations: { path: … }` of the project's Prisma configuration. */
function configuredFolder({ directory }: SchemaSource): string | undefined {
  for (let at = directory; ; at = dirname(at)) {
    for (const name of ['prisma.config.ts', 'prisma.config.mts', 'prisma.config.js', 'prisma.config.mjs']) {
      const file = join(at, name)
      if (!existsSync(file)) continue
      const path = /\bmigrations\s*:\s*\{[^}]*?\bpath\s*:\s*(?:path\.join\()?["'`]([^"'`]+)["'`]/.exec(
        readFileSync(file, 'utf8'),
      )?.[1]
      return path === undefined ? undefined : resolve(at, path)
    }
    if (at === dirname(at) || existsSync(join(at, 'package.json'))) return undefined
  }
}

/** As the lock file says; without one a project's migrations are of the provider that its schema declares. */
function providerOf(folder: string, source: SchemaSource): Provider | undefined {
  const lock = join(folder, 'migration_lock.toml')
  if (!existsSync(lock)) return declaredProvider(source)
  const name = /^\s*provider\s*=\s*["'](\w+)["']/m.exec(readFileSync(lock, 'utf8'))?.[1]
  return name === 'sqlite' ? 'sqlite' : name === 'postgresql' || name === 'postgres' ? 'postgres' : undefined
}

/** Migrations of a folder, oldest first; none when the folder does not exist. */
function readMigrations(folder: string): StoredMigration[] {
  if (!existsSync(folder)) return []
  return readdirSync(folder, { withFileTypes: true })
    .filter((entry) => entry.isDirectory() && existsSync(join(folder, entry.name, 'migration.sql')))
    .map(({ name }) => ({ name, sql: readFileSync(join(folder, name, 'migration.sql'), 'utf8') }))
    .toSorted((a, b) => (a.name < b.name ? -1 : 1))
}
