import { withScratchDatabase } from '@outgrow/databases'
import { Failure } from '@outgrow/kit'
import manifestOfPackage from '../../../package.json' with { type: 'json' }
import { readManifest, writeDrill } from '../catalog/documents.ts'
import { chooseForDrill } from '../catalog/choose-backup.ts'
import { readCatalog } from '../catalog/read-catalog.ts'
import type { Which } from '../catalog/which.ts'
import type { Drill } from '../model/drill.ts'
import type { SourceRequest } from '../model/source.ts'
import type { Storage } from '../model/storage.ts'
import { drillBase } from '../pitr/drill-base.ts'
import { providerOf } from '../providers.ts'
import { keyIdOf, type Protection } from '../seal/backup-key.ts'
import { withScratchFolder } from '../sqlite/scratch.ts'
import { openParts } from './open-parts.ts'
import { restoreInto } from './restore-into.ts'

export interface DrillRequest extends Omit<SourceRequest, 'url'> {
  storage: Storage
  protection: Protection
  /** One of them; the newest without. */
  id: string | undefined
  /** Of which kinds that newest is; any without. */
  which?: Which
  /** A Postgres on whose server a scratch database may be made; the embedded one is started without. */
  server: string | undefined
}

/**
 * Restores the newest backup into a scratch database, compares every digest, and records the outcome beside the backup. A failed
 * drill is a result; what says nothing of the backup, such as a key that is not its own, is a failure.
 */
export async function runDrill(request: DrillRequest): Promise<Drill> {
  const { storage, protection, id, which = {}, signal } = request
  const chosen = chooseForDrill(await readCatalog(storage, signal), { id, which }, storage.description)
  const at = new Date()
  const outcome = await tryRestore(chosen.id, request)
  signal.throwIfAborted()
  const problems = [...(chosen.problem === undefined ? [] : [chosen.problem]), ...outcome.problems]
  const drill: Drill = {
    id: chosen.id,
    at: at.toISOString(),
    ok: problems.length === 0,
    ms: Math.round(performance.now() - outcome.startedMs),
    keyId: keyIdOf(protection),
    outgrow: manifestOfPackage.version,
    server: outcome.server,
    compared: outcome.compared,
    tables: outcome.tables,
    rows: outcome.rows,
    problems,
    notes: outcome.notes,
  }
  await writeDrill(storage, drill, protection)
  return drill
}

interface Attempt {
  startedMs: number
  server: string
  compared: boolean
  tables: number
  rows: number
  problems: string[]
  notes: string[]
}

async function tryRestore(id: string, request: DrillRequest): Promise<Attempt> {
  const { storage, protection, signal, workDir, server } = request
  const attempt: Attempt = {
    startedMs: performance.now(),
    server: '',
    compared: true,
    tables: 0,
    rows: 0,
    problems: [],
    notes: [],
  }
  try {
    const manifest = await readManifest(storage, id, protection)
    if (manifest.method === 'base') return { ...attempt, ...(await drillBase({ ...request, id })) }
    attempt.tables = manifest.tables.length
    attempt.rows = manifest.tables.reduce((sum, { rows }) => sum + rows, 0)
    attempt.problems.push(...manifest.damage.map((text) => `it was damaged when it was backed up: ${text}`))
    // In a folder that the next run removes when this one is killed: it holds all rows, in the clear.
    await withScratchFolder(workDir, (directory) =>
      withScratchDatabase(manifest.provider, { server, directory }, async (url) => {
        const provider = providerOf(manifest.provider)
        if (server === undefined) await provider.prepareScratch(url, manifest)
        await provider.withTarget({ ...request, url }, async (target) => {
          attempt.server = target.server
          const openPart = openParts(storage, manifest, protection, signal)
          const { differences, problems, notes } = await restoreInto(target, manifest, openPart)
          attempt.problems.push(...differences, ...problems)
          attempt.notes.push(...notes)
        })
      }),
    )
  } catch (error) {
    if (!(error instanceof Failure)) throw error
    if (isOfServer(error)) throw unproved(id, error)
    if (!saysOfBackup(error)) throw error
    attempt.problems.push(error.message)
  }
  return attempt
}

/** Whether a failure is the backup's, and not the key's, the storage's or the machine's. */
function saysOfBackup({ code }: Failure): boolean {
  return [
    'OUTGROW_BACKUP_DAMAGED',
    'OUTGROW_BACKUP_OBJECT_MISSING',
    'OUTGROW_RECOVERY_FAILED',
    'OUTGROW_RESTORE_FAILED',
    'OUTGROW_WAL_GAP',
  ].includes(code)
}

/** Whether the scratch server has not what the backup needs: of the backup that says nothing. */
function isOfServer({ code }: Failure): boolean {
  return ['OUTGROW_RESTORE_SERVER', 'OUTGROW_RESTORE_ROLES', 'OUTGROW_TARGET_PRIVILEGES'].includes(code)
}

function unproved(id: string, cause: Failure): Failure {
  return new Failure({
    code: 'OUTGROW_DRILL_UNPROVED',
    message: `${id} cannot be proved here: ${cause.message}`,
    why: 'Whether it restores is unknown, and no drill was recorded.',
    fix:
      cause.code === 'OUTGROW_RESTORE_ROLES' && cause.fix !== undefined
        ? cause.fix
        : 'Pass --server with the URL of a Postgres that has what the backup needs.',
    cause,
  })
}
