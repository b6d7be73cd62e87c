import { connectPostgres, parsePostgresUrl, type PostgresClient, type PostgresUrl } from '@outgrow/databases'
import { redactUrl } from '@outgrow/kit'
import type { Manifest, TableDigest } from '../../model/manifest.ts'
import type { BackupProgress, OpenPart, RestoreTarget, WithRestoreTarget } from '../../model/source.ts'
import { serverVersion } from '../server.ts'
import { withServerFailures } from '../server-failure.ts'
import { withSessions } from '../session.ts'
import { commit } from './commit.ts'
import { refuseUnlessEmpty } from './empty.ts'
import { fillDatabase, type Filled } from './fill-database.ts'

/** A Postgres database that is filled in one transaction: until it is published, nobody else sees anything of it. */
export const withPostgresTarget: WithRestoreTarget = ({ url, signal, onProgress }, use) => {
  const parsed = parsePostgresUrl(url)
  const work = withSessions(parsed, signal, async (sessions) => {
    const client = await sessions.open()
    const { words } = await serverVersion(client)
    return use(new PostgresTarget(parsed, client, words, onProgress))
  })
  return withServerFailures('restore', signal, work)
}

class PostgresTarget implements RestoreTarget {
  readonly provider = 'postgres'
  readonly description: string
  readonly server: string
  readonly #url: PostgresUrl
  readonly #client: PostgresClient
  readonly #onProgress: BackupProgress
  #filled: Filled = { tables: [], problems: [], notes: [] }

  constructor(url: PostgresUrl, client: PostgresClient, server: string, onProgress: BackupProgress) {
    this.description = redactUrl(url.url.href)
    this.server = server
    this.#url = url
    this.#client = client
    this.#onProgress = onProgress
  }

  async refuseUnlessEmpty(): Promise<void> {
    await refuseUnlessEmpty(this.#client)
  }

  async restore(manifest: Manifest, openPart: OpenPart): Promise<void> {
    this.#filled = await fillDatabase(this.#client, manifest, openPart, this.#onProgress)
  }

  async tables(): Promise<TableDigest[]> {
    return this.#filled.tables
  }

  async problems(): Promise<string[]> {
    return this.#filled.problems
  }

  notes(): string[] {
    return this.#filled.notes
  }

  async publish(): Promise<void> {
    await commit(this.#client, () => connectPostgres(this.#url))
  }

  async discard(): Promise<void> {
    await this.#client.query('ROLLBACK').catch(() => {}) // the connection is gone, and the transaction with it
  }
}
