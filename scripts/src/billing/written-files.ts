import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import {
  writeAdded,
  writeGenerated,
  writeMigrations,
  type AddedSchema,
  type PlannedMigrations,
} from '@outgrow/schema'

type Planned = Pick<PlannedMigrations, 'generated' | 'authored'> & { added: AddedSchema }

/**
 * Writes a fragment with its migrations, and runs `use`. When that throws, or a file cannot be written, every file is as
 * it was.
 */
export async function withWritten<Result>(planned: Planned, use: () => Promise<Result>): Promise<Result> {
  const before = pathsOf(planned).map((path): [string, Buffer | undefined] => [
    path,
    existsSync(path) ? readFileSync(path) : undefined,
  ])
  const { generated, authored, added } = planned
  try {
    writeAdded(added)
    writeMigrations(generated, authored)
    writeGenerated(generated)
    return await use()
  } catch (error) {
    for (const [path, content] of before) {
      if (content === undefined) rmSync(path, { force: true })
      else restore(path, content)
    }
    for (const { path } of authored.migrations) rmSync(dirname(path), { recursive: true, force: true })
    throw error
  }
}

/** Every file that writing may change. */
function pathsOf({ generated, authored, added }: Planned): string[] {
  const folder = added.source.path.endsWith('.prisma') ? dirname(added.source.path) : added.source.path
  return [
    ...added.changed.map(([name]) => join(folder, name)),
    ...generated.outputs.map(({ path }) => path),
    ...authored.migrations.flatMap(({ path }) => {
      const migrations = dirname(dirname(path))
      return [path, join(migrations, 'migration_lock.toml'), join(migrations, 'schema.prisma')]
    }),
  ]
}

function restore(path: string, content: Buffer): void {
  mkdirSync(dirname(path), { recursive: true })
  writeFileSync(path, content)
}
