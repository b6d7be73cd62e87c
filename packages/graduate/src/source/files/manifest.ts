import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { Failure } from '@outgrow/kit'
import type { Finding } from '../../model/finding.ts'
import type { StoredOptions } from '../../model/options.ts'
import type { FixReport } from '../../model/report.ts'

/** One table as `transform` wrote it. */
export interface RenderedTable {
  table: string
  /** File name in the folder: binary COPY rows, ready to be loaded. */
  file: string
  /** Target columns, in the order of the file, and the form in which their values are there. */
  columns: { name: string; form: string }[]
  rows: number
  /** Sum of the rows' hashes, decimal. */
  hashSum: string
  bytes: number
  rowsRead: number
}

/** Of the files beside the manifest, too. */
export const manifestVersion = 2

/** What a folder of an export holds: `manifest.json`. */
export interface Manifest {
  version: typeof manifestVersion
  /** Absolute path of the file that was exported. */
  source: string
  exportedAt: string
  snapshot: { file: 'snapshot.sqlite'; bytes: number }
  tables: { table: string; rows: number }[]
  /** Filled by `transform`. */
  transformed: {
    options: StoredOptions
    schema: string
    tables: RenderedTable[]
    findings: Finding[]
    fixes: FixReport[]
    quarantine: string
  } | null
}

/** @throws Failure OUTGROW_EXPORT_NOT_FOUND */
export function readManifest(directory: string): Manifest {
  const path = join(resolve(directory), 'manifest.json')
  if (!existsSync(path)) {
    throw new Failure({
      code: 'OUTGROW_EXPORT_NOT_FOUND',
      message: `${directory} contains no export.`,
      fix: 'Run outgrow export --from app.db --dir <folder> first.',
    })
  }
  const manifest = JSON.parse(readFileSync(path, 'utf8')) as Manifest
  if (manifest.version === manifestVersion) return manifest
  throw new Failure({
    code: 'OUTGROW_EXPORT_NOT_FOUND',
    message: `${directory} contains an export of another version of Outgrow.`,
    fix: 'Run outgrow export again, into another folder.',
  })
}

export function writeManifest(directory: string, manifest: Manifest): void {
  writeFileSync(join(resolve(directory), 'manifest.json'), `${JSON.stringify(manifest, null, 2)}\n`)
}
