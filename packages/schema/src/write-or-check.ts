import type { ScratchOptions } from '@outgrow/databases'
import { staleOutputs, writeGenerated, type Generated } from './generate.ts'
import { proveOnPostgres } from './migrations/prove.ts'

/** What became of generated schemas. Paths are absolute; `postgres` is the version of the server that made the tables. */
export type Generation =
  | { state: 'refused' }
  | { state: 'written'; outputs: string[]; changed: string[] }
  | { state: 'stale'; outputs: string[] }
  | { state: 'current'; postgres: string }

/**
 * Writes generated schemas where nothing was refused.
 * @param check write nothing: a Postgres made there makes the tables, and files that differ are named
 * @throws Failure OUTGROW_SCHEMA_NOT_OURS; with `check` OUTGROW_SCHEMA_DDL, OUTGROW_EXTENSION_MISSING
 */
export async function writeOrCheck(
  generated: Generated,
  check: ScratchOptions | undefined,
): Promise<Generation> {
  if (!generated.dialects.ok) return { state: 'refused' }
  if (check === undefined) {
    const outputs = generated.outputs.map(({ path }) => path)
    return { state: 'written', outputs, changed: writeGenerated(generated) }
  }
  const postgres = await proveOnPostgres(generated, check)
  const outputs = staleOutputs(generated)
  return outputs.length === 0 ? { state: 'current', postgres } : { state: 'stale', outputs }
}
