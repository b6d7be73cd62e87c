import type { PostgresClient } from '@outgrow/databases'
import type { Manifest, TableDigest } from '../../model/manifest.ts'
import type { BackupProgress, OpenPart } from '../../model/source.ts'
import { detailsOf, type StoredSequence } from '../details.ts'
import { digesterOf, digestText, type Digester, type RowSet } from '../rows.ts'
import { compareStructure } from './compare-structure.ts'
import { loadParts } from './load-rows.ts'
import { notesOf } from './notes.ts'
import { possibleOwners, readOwners } from './owners.ts'
import { findMissing, refuseMissing } from './requirements.ts'
import { runScript, type LeftOut } from './run-script.ts'
import { dumpStatements, type Phase } from './script.ts'
import { restoreSettings } from './settings.ts'
import { findRowSets } from './stored-row-sets.ts'

/** What a database holds that was filled, read from it. */
export interface Filled {
  tables: TableDigest[]
  problems: string[]
  notes: string[]
}

/**
 * Fills an empty database in a transaction, which is left open: tables, rows, keys and all the rest; rows are compared before
 * policies hide them, and who may do what comes last.
 * @throws Failure OUTGROW_RESTORE_SERVER, OUTGROW_RESTORE_ROLES, OUTGROW_RESTORE_FAILED
 */
export async function fillDatabase(
  client: PostgresClient,
  manifest: Manifest,
  openPart: OpenPart,
  onProgress: BackupProgress,
): Promise<Filled> {
  const details = detailsOf(manifest)
  const missing = await findMissing(client, details)
  refuseMissing(missing)
  const digester = await digesterOf(client)
  const before = dumpStatements(manifest.schema.slice(0, details.postDataAt))
  const after = dumpStatements(manifest.schema.slice(details.postDataAt))
  const inBoth = (phase: Phase) => [...before, ...after].filter((one) => one.phase === phase)
  const leftOut: LeftOut[] = []
  const run = async (statements: typeof before) => leftOut.push(...(await runScript(client, statements)))

  await client.query('BEGIN ISOLATION LEVEL READ COMMITTED, READ WRITE')
  onProgress('build tables', 0, undefined)
  await run(before.filter(({ phase }) => phase === 'build'))
  const rowSets = await findRowSets(client, details.tables)
  const bytes = manifest.parts.reduce((sum, { plainBytes }) => sum + plainBytes, 0)
  await loadParts(client, details.parts, rowSets, openPart, (done) => onProgress('load rows', done, bytes))
  await setSequences(client, details.sequences)
  onProgress('build keys and indexes', 0, undefined)
  await run(after.filter(({ phase }) => phase === 'build'))
  onProgress('compare rows', 0, undefined)
  const tables = await digestsOf(digester, rowSets)

  await run(inBoth('row security'))
  const owners = await readOwners(client)
  await run(possibleOwners(inBoth('owners'), owners))
  await run(inBoth('grants'))
  await run(inBoth('event triggers'))
  leftOut.push(...(await restoreSettings(client, details)))
  const { problems, notes } = await compareStructure(client, details)
  return { tables, problems, notes: notesOf({ details, missing, owners, leftOut, differences: notes }) }
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

async function digestsOf(digester: Digester, rowSets: readonly RowSet[]): Promise<TableDigest[]> {
  const tables: TableDigest[] = []
  for (const rows of rowSets) {
    const digest = await digester.digest(rows)
    tables.push({ name: rows.label, rows: digest.rows, digest: digestText(digest) })
  }
  return tables
}
