import { closeSync, openSync, readFileSync, readSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { Failure } from '@outgrow/kit'
import type { QuarantinedRow } from '../copy/findings.ts'
import type { MoveOptions } from '../options.ts'
import { readManifest, restoreOptions, type Manifest, type RenderedTable } from './manifest.ts'

/** A transformed export, as `import` loads it. */
export interface Rendered {
  directory: string
  /** The snapshot that it was made from. */
  snapshot: string
  options: MoveOptions
  schema: string
  transformed: NonNullable<Manifest['transformed']>
  tableNamed(name: string): RenderedTable
  /** The table's rows as binary COPY, piece by piece. */
  buffers(table: RenderedTable): Generator<Buffer>
  quarantined(table: string): QuarantinedRow[]
}

/** @throws Failure OUTGROW_EXPORT_NOT_FOUND, OUTGROW_NOT_TRANSFORMED */
export function openRendered(folder: string): Rendered {
  const directory = resolve(folder)
  const manifest = readManifest(directory)
  const { transformed } = manifest
  if (transformed === null) {
    throw new Failure({
      code: 'OUTGROW_NOT_TRANSFORMED',
      message: `${folder} is exported and not transformed.`,
      fix: `Run outgrow transform --dir ${folder} first.`,
    })
  }
  return {
    directory,
    snapshot: join(directory, manifest.snapshot.file),
    options: restoreOptions(transformed.options),
    schema: transformed.schema,
    transformed,
    tableNamed: (name) => {
      const table = transformed.tables.find((candidate) => candidate.table === name)
      if (table) return table
      throw new Error(`the export has no table ${name}`)
    },
    buffers: (table) => pieces(join(directory, table.file)),
    quarantined: (table) =>
      readFileSync(join(directory, transformed.quarantine), 'utf8')
        .split('\n')
        .filter((line) => line !== '')
        .map((line) => JSON.parse(line) as QuarantinedRow)
        .filter((row) => row.table === table),
  }
}

function* pieces(path: string): Generator<Buffer> {
  const file = openSync(path, 'r')
  try {
    for (;;) {
      const buffer = Buffer.allocUnsafe(256 * 1024)
      const read = readSync(file, buffer)
      if (read === 0) return
      yield buffer.subarray(0, read)
    }
  } finally {
    closeSync(file)
  }
}
