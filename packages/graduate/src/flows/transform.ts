import { closeSync, mkdirSync, openSync, rmSync, writeSync } from 'node:fs'
import { join, resolve as absolute } from 'node:path'
import { parsePostgresUrl } from '@outgrow/databases'
import { isLeftBehind } from '../model/finding.ts'
import { storeOptions } from '../model/options.ts'
import { refuseDrift, type PlannedTable } from '../model/plan.ts'
import type { QuarantinedRow } from '../model/row.ts'
import { readManifest, writeManifest, type Manifest, type RenderedTable } from '../source/files/manifest.ts'
import { sqliteSource } from '../source/sqlite/snapshot.ts'
import { inspectTarget } from '../steps/inspect-target.ts'
import { plan } from '../steps/plan.ts'
import { prepare } from '../steps/prepare.ts'
import { read, type ReadRequest } from '../steps/read.ts'
import { resolve } from '../steps/resolve.ts'
import type { RunRequest, Step } from '../steps/step.ts'
import { takeSnapshot } from '../steps/take-snapshot.ts'
import { formOf } from '../types/value-types.ts'
import type { CatalogServer } from './inspect.ts'
import { runFlow, type Flow, type FlowResult } from './run-flow.ts'

const noDrift: Step = {
  name: 'drift',
  title: 'Compare the file’s schema',
  run: async (run) => {
    refuseDrift(run.of(plan).findings)
    return { value: undefined }
  },
}

const flow: Flow<ReadRequest> = {
  steps: [takeSnapshot, prepare, inspectTarget, plan, noDrift, read, resolve],
  onFindings: 'report',
}

/** Decides every value of an exported snapshot by the rules and writes files that Postgres can load. */
export async function transformSnapshot({
  directory: folder,
  at,
  ...request
}: Omit<RunRequest, 'source' | 'target'> & {
  directory: string
  at: Pick<CatalogServer, 'url'>
}): Promise<Manifest> {
  const directory = absolute(folder)
  const manifest = readManifest(directory)
  const files = new TableFiles(directory)
  try {
    return await runFlow(
      flow,
      {
        ...request,
        source: sqliteSource(join(directory, manifest.snapshot.file)),
        target: parsePostgresUrl(at.url),
        // Whatever the target holds: an import looks at that.
        isScratch: true,
        write: (table, buffer) => files.write(table, buffer),
        setAside: (quarantined) => files.setAside(quarantined),
      },
      (result) => {
        const done: Manifest = { ...manifest, transformed: transformed(result, files) }
        writeManifest(directory, done)
        return done
      },
    )
  } finally {
    files.close()
  }
}

function transformed(
  { run, findings, fixes }: FlowResult<ReadRequest>,
  files: TableFiles,
): Manifest['transformed'] {
  const rows = run.of(read)
  return {
    options: storeOptions(run.request.options),
    schema: run.of(prepare).checksum,
    tables: [...rows].map(([table, { digest, rowsRead }]): RenderedTable => ({
      table: table.source.name,
      ...files.fileOf(table),
      columns: table.columns.map((column) => ({ name: column.target.name, form: formOf(column) })),
      rows: digest.rows,
      hashSum: String(digest.sum),
      rowsRead,
    })),
    // What is left behind is named by the import.
    findings: findings.filter((finding) => !isLeftBehind(finding)),
    fixes,
    quarantine: quarantineName,
  }
}

const quarantineName = 'quarantine.ndjson'

/** The files that rows are written into, one a table. */
class TableFiles {
  readonly #directory: string
  readonly #quarantine: number
  readonly #files = new Map<PlannedTable, { file: string; descriptor: number; bytes: number }>()

  constructor(directory: string) {
    this.#directory = directory
    this.#quarantine = openSync(join(directory, quarantineName), 'w')
  }

  write(table: PlannedTable, buffer: Buffer): void {
    const file = this.#open(table)
    file.bytes += writeSync(file.descriptor, buffer)
  }

  /** Name in the folder and size of a table's file; one without rows is empty. */
  fileOf(table: PlannedTable): { file: string; bytes: number } {
    const { file, bytes } = this.#open(table)
    return { file, bytes }
  }

  setAside(rows: QuarantinedRow[]): void {
    for (const row of rows) writeSync(this.#quarantine, `${JSON.stringify(row)}\n`)
  }

  close(): void {
    closeSync(this.#quarantine)
    for (const { descriptor } of this.#files.values()) closeSync(descriptor)
  }

  #open(table: PlannedTable): { file: string; descriptor: number; bytes: number } {
    const known = this.#files.get(table)
    if (known) return known
    if (this.#files.size === 0) {
      rmSync(join(this.#directory, 'tables'), { recursive: true, force: true })
      mkdirSync(join(this.#directory, 'tables'))
    }
    const file = join('tables', `${String(this.#files.size + 1).padStart(3, '0')}.copy`)
    const opened = { file, descriptor: openSync(join(this.#directory, file), 'w'), bytes: 0 }
    this.#files.set(table, opened)
    return opened
  }
}
