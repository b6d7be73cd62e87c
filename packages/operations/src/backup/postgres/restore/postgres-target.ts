import { connectPostgres, parsePostgresUrl, type PostgresClient } from '@outgrow/databases'
import { redactUrl } from '@outgrow/kit'
import type { Manifest, TableDigest } from '../../model/manifest.ts'
import type { BackupProgress, OpenPart, WithRestoreTarget } from '../../model/source.ts'
import { postgresDetails, type PostgresDetails, type StoredSequence } from '../details.ts'
import { FrameReader } from '../frames.ts'
import { digesterOf, digestText, type RowSet } from '../rows.ts'
import { refuseServer, serverVersion } from '../server.ts'
import { withServerFailures } from '../server-failure.ts'
import { withSessions } from '../session.ts'
import { commit } from './commit.ts'
import { compareStructure } from './compare-structure.ts'
import { refuseUnlessEmpty } from './empty.ts'
import { loadRows } from './load-rows.ts'
import { notesOf } from './notes.ts'
import { findMissing, refuseMissing } from './requirements.ts'
import { possibleOwners, readOwners } from './owners.ts'
import { runScript, type LeftOut } from './run-script.ts'
import { dumpStatements, type DumpStatement, type Phase } from './script.ts'
import { restoreSettings } from './settings.ts'
import { findRowSets } from './stored-row-sets.ts'

/** A Postgres database that is filled in one transaction: until it is published, nobody else sees anything of it. */
export const withPostgresTarget: WithRestoreTarget = ({ url, signal, onProgress }, use) => {
  const parsed = parsePostgresUrl(url)
  return withServerFailures('restore', signal, () => withSessions(parsed, signal, async (sessions) => {
    const client = await sessions.open()
    await refuseServer([client, await sessions.open()], parsed)
    const { words } = await serverVersion(client)
    let tables: TableDigest[] = []
    let problems: string[] = []
    let notes: string[] = []
    return use({
      provider: 'postgres',
      description: redactUrl(url),
      server: words,
      refuseUnlessEmpty: () => refuseUnlessEmpty(client),
      async restore(manifest, openPart) {
        ;({ tables, problems, notes } = await restore(client, manifest, openPart, onProgress))
      },
      tables: async () => tables,
      problems: async () => problems,
      notes: () => notes,
      publish: () => commit(client, () => connectPostgres(parsed)),
      async discard() {
        await client.query('ROLLBACK').catch(() => {}) // the connection is gone, and the transaction with it
      },
    })
  }))
}

interface Restored {
  tables: TableDigest[]
  problems: string[]
  notes: string[]
}

async function restore(
  client: PostgresClient,
  manifest: Manifest,
  openPart: OpenPart,
  onProgress: BackupProgress,
): Promise<Restored> {
  const details = postgresDetails.parse(manifest.details)
  const missing = await findMissing(client, details)
  refuseMissing(missing)
  const digester = await digesterOf(client)
  const before = dumpStatements(manifest.schema.slice(0, details.postDataAt))
  const after = dumpStatements(manifest.schema.slice(details.postDataAt))
  const statementsOf = (phase: Phase, ...scripts: DumpStatement[][]) => scripts.flat().filter((one) => one.phase === phase)
  const leftOut: LeftOut[] = []
  const run = async (statements: DumpStatement[]) => leftOut.push(...(await runScript(client, statements)))

  await client.query('BEGIN ISOLATION LEVEL READ COMMITTED, READ WRITE')
  onProgress('building tables', 0, undefined)
  await run(statementsOf('build', before))
  const rowSets = await findRowSets(client, details.tables)
  await loadParts(client, details, rowSets, openPart, onProgress)
  await setSequences(client, details.sequences)
  onProgress('building keys and indexes', 0, undefined)
  await run(statementsOf('build', after))
  onProgress('comparing rows', 0, undefined)
  const tables: TableDigest[] = []
  for (const rows of rowSets) {
    const digest = await digester.digest(rows)
    tables.push({ name: rows.label, rows: digest.rows, digest: digestText(digest) })
  }
  await run(statementsOf('row security', before, after))
  const owners = await readOwners(client)
  await run(possibleOwners(statementsOf('owners', before, after), owners))
  await run(statementsOf('grants', before, after))
  await run(statementsOf('event triggers', before, after))
  leftOut.push(...(await restoreSettings(client, details)))
  const structure = await compareStructure(client, details)
  return { tables, problems: structure.problems, notes: notesOf({ details, missing, owners, leftOut, differences: structure.notes }) }
}

async function loadParts(
  client: PostgresClient,
  { parts }: PostgresDetails,
  rowSets: readonly RowSet[],
  openPart: OpenPart,
  onProgress: BackupProgress,
): Promise<void> {
  for (const { name, tables } of parts) {
    const reader = new FrameReader(openPart(name))
    try {
      for (const table of tables) {
        const rows = rowSets[table] as RowSet
        onProgress(`loading ${rows.label}`, 0, undefined)
        await loadRows(client, rows, reader.next())
      }
      await reader.end()
    } finally {
      await reader.close()
    }
  }
}

async function setSequences(client: PostgresClient, sequences: readonly StoredSequence[]): Promise<void> {
  await client.query(
    'SELECT setval(label::regclass, last, called) FROM unnest($1::text[], $2::int8[], $3::bool[]) s(label, last, called)',
    [
      sequences.map(({ label }) => label),
      sequences.map(({ last }) => last),
      sequences.map(({ isCalled }) => isCalled),
    ],
  )
}
