import { chmodSync, mkdirSync, rmSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { openSqliteReadonly } from '@outgrow/databases'
import { deployMigrations, readSchemaSource } from '@outgrow/schema'

export interface Scratch extends Disposable {
  /** Holds the copy and the signs that its processes record. */
  directory: string
  path: string
}

/** A copy of a database to strain, or an empty one of the product's own schema. The original is only read. */
export async function makeScratch(parent: string, from: string | undefined, keep: boolean): Promise<Scratch> {
  const directory = join(parent, 'load', new Date().toISOString().replaceAll(/[:.]/g, '-'))
  const remove = () => rmSync(directory, { recursive: true, force: true })
  mkdirSync(directory, { recursive: true, mode: 0o700 })
  const path = join(directory, 'app.db')
  try {
    await fill(path, from)
  } catch (error) {
    remove()
    throw error
  }
  return { directory, path, [Symbol.dispose]: () => (keep ? undefined : remove()) }
}

async function fill(path: string, from: string | undefined): Promise<void> {
  if (from === undefined) {
    await deployMigrations(
      readSchemaSource(resolve(import.meta.dirname, '../../prisma/schema')),
      `file:${path}`,
    )
    return
  }
  const source = openSqliteReadonly(from)
  try {
    source.pragma('query_only = 0') // VACUUM INTO writes the copy; the source itself is open for reading only
    source.prepare('VACUUM INTO ?').run(path)
  } finally {
    source.close()
  }
  chmodSync(path, 0o600)
}
