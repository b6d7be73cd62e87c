import type { PostgresClient } from '@outgrow/databases'
import { readNeeds } from './catalog/needs.ts'
import { describeDatabase } from './catalog/structure.ts'
import type { PostgresDetails } from './details.ts'
import type { SchemaScript } from './pg-dump/dump-schema.ts'
import { changing } from './snapshot.ts'

/** A schema, as pg_dump writes it and as it can be compared. */
export interface Schema {
  script: SchemaScript
  needs: Awaited<ReturnType<typeof readNeeds>>
  structure: PostgresDetails['structure']
}

const attempts = 5

/**
 * Reads it until nothing has changed meanwhile: no lock keeps functions, views and grants as they are, and the server spells
 * them as they are now, whatever the snapshot.
 * @throws Failure OUTGROW_BACKUP_LOCKED
 */
export async function readSchema(client: PostgresClient, dump: () => Promise<SchemaScript>): Promise<Schema> {
  const read = async () => ({ needs: await readNeeds(client), structure: await describeDatabase(client) })
  let before = await read()
  for (let attempt = 1; attempt <= attempts; attempt++) {
    const script = await dump()
    const after = await read()
    if (JSON.stringify(before) === JSON.stringify(after)) return { script, ...after }
    before = after
  }
  throw changing()
}
