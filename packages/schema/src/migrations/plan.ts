import type { ScratchOptions } from '@outgrow/databases'
import { Failure } from '@outgrow/kit'
import { proveDialects, type Generated } from '../generate.ts'
import type { SchemaSource } from '../source.ts'
import { authorMigrations, type Authored } from './author.ts'
import { proveMigrations } from './prove.ts'

export interface PlannedMigrations {
  generated: Generated
  authored: Authored
  /** On what the migrations ran, in words. */
  proved: string
}

/**
 * Plans one migration a provider for a schema as it is now, and runs both on empty databases. Writes nothing.
 * @param since the schema as it was: the migrations are the difference to it alone
 * @throws Failure OUTGROW_SCHEMA_REFUSED, and what generating, `authorMigrations` and `proveMigrations` throw
 */
export async function planMigrations(
  source: SchemaSource,
  label: string,
  scratch: ScratchOptions,
  since?: SchemaSource,
): Promise<PlannedMigrations> {
  const before = since && (await proveDialects(since))
  const generated = await proveDialects(source)
  if (!generated.dialects.ok) {
    throw new Failure({
      code: 'OUTGROW_SCHEMA_REFUSED',
      message: 'The schema uses features that one of the databases lacks.',
      fix: 'Run outgrow generate to see which ones and what to write instead.',
    })
  }
  const authored = await authorMigrations(generated, label, scratch, before)
  return { generated, authored, proved: await proveMigrations(generated, authored, scratch) }
}
