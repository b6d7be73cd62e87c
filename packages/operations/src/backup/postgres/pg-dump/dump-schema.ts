import type { Sessions } from '../session.ts'
import { runPgDump } from './run-pg-dump.ts'

export interface SchemaScript {
  text: string
  /** Where what comes after the rows begins: keys, indexes, triggers, policies. */
  postDataAt: number
}

/** A database's schema as pg_dump writes it of one snapshot. */
export async function dumpSchema(
  sessions: Sessions,
  snapshot: string,
  signal: AbortSignal,
): Promise<SchemaScript> {
  const dump = async (section: string) =>
    runPgDump(
      await sessions.open(),
      [
        `--section=${section}`,
        `--snapshot=${snapshot}`,
        '--encoding=UTF8',
        '--quote-all-identifiers',
        // One of them would begin to take rows from its publisher as soon as it is there.
        '--no-subscriptions',
        '--lock-wait-timeout=60000',
      ],
      signal,
    )
  const [before, after] = await Promise.all([dump('pre-data'), dump('post-data')])
  return { text: before + after, postDataAt: before.length }
}
