import { notesFor, parsePostgresUrl } from '@outgrow/databases'
import { redactUrl } from '@outgrow/kit'
import type { SourceLook } from '../model/source.ts'
import { readLeftOut } from './catalog/needs.ts'
import { readRelations } from './catalog/relations.ts'
import { refuseSourceVersion } from './server.ts'
import { withServerFailures } from './server-failure.ts'
import { withSessions } from './session.ts'
import { refuseUnreadable } from './snapshot.ts'

/** @throws Failure OUTGROW_TARGET_POOLED, OUTGROW_BACKUP_SERVER, OUTGROW_BACKUP_PRIVILEGES */
export function lookAtPostgres(url: string): Promise<SourceLook> {
  const parsed = parsePostgresUrl(url)
  const { signal } = new AbortController()
  const look = withSessions(parsed, signal, async (sessions) => {
    const client = await sessions.open()
    await refuseSourceVersion(client)
    refuseUnreadable(await readRelations(client), client.user ?? '')
    const { rows } = await client.query<{ size: string }>(
      'SELECT pg_database_size(current_database()) AS size',
    )
    const sizeBytes = Number(rows[0]?.size)
    const facts = notesFor(parsed, 'backup', sizeBytes).map(({ text }) => text)
    return { database: redactUrl(url), sizeBytes, notes: [...facts, ...(await readLeftOut(client))] }
  })
  return withServerFailures('backup', signal, look)
}
