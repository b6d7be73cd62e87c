import { closeSync, openSync, readFileSync, readSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { Failure } from '@outgrow/kit'
import { restoreOptions, type MoveOptions } from '../../model/options.ts'
import type { PlannedTable } from '../../model/plan.ts'
import type { QuarantinedRow } from '../../model/row.ts'
import type { RowStream, Source } from '../source.ts'
import { sqliteSource } from '../sqlite/snapshot.ts'
import { formOf, isSentAsList } from '../../types/value-types.ts'
import { withElementTypes } from './element-types.ts'
import { readManifest, type Manifest, type RenderedTable } from './manifest.ts'

/** A transformed export, as `import` loads it. */
export interface Rendered {
  /** The snapshot that it was made from. */
  snapshot: string
  options: MoveOptions
  /** Checksum of the schema that it was made with. */
  schema: string
  transformed: NonNullable<Manifest['transformed']>
  /** The snapshot, but for its rows: those come from the files. */
  source: Source
}

/** @throws Failure OUTGROW_EXPORT_NOT_FOUND, OUTGROW_NOT_TRANSFORMED */
export function openRendered(folder: string): Rendered {
  const directory = resolve(folder)
  const manifest = readManifest(directory)
  const { transformed } = manifest
  if (transformed === null) {
    throw new Failure({
      code: 'OUTGROW_NOT_TRANSFORMED',
      message: `${folder} contains an export that has not been transformed.`,
      fix: `Run outgrow transform --dir ${folder} first.`,
    })
  }
  const snapshot = join(directory, manifest.snapshot.file)
  return {
    snapshot,
    options: restoreOptions(transformed.options),
    schema: transformed.schema,
    transformed,
    source: {
      open: async (signal) => {
        const read = await sqliteSource(snapshot).open(signal)
        return {
          ...read,
          chunks: (table) => ({ chunks: [{ low: '', range: undefined }], span: read.chunks(table).span }),
          rows: (table) => streamOf(directory, transformed, table),
          readerNotes: () => [],
        }
      },
    },
  }
}

function streamOf(directory: string, transformed: Rendered['transformed'], table: PlannedTable): RowStream {
  const file = fileOf(transformed, table)
  let rows = 0
  return {
    get rows() {
      return rows
    },
    isBad: false,
    async *buffers() {
      const read = pieces(join(directory, file.file))
      const elements = table.columns.map((column) =>
        isSentAsList(column) ? column.target.element?.oid : undefined,
      )
      yield* elements.some((oid) => oid !== undefined) ? withElementTypes(read, elements) : read
      rows = file.rows
    },
    giveBack: () => {},
    result: {
      digest: { rows: file.rows, sum: BigInt(file.hashSum) },
      rowsRead: file.rowsRead,
      findings: [],
      fixes: [],
      quarantined: quarantinedRows(join(directory, transformed.quarantine), table.source.name),
    },
  }
}

/** @throws Failure OUTGROW_SOURCE_CHANGED when the file holds other columns, or other types of them, than are to be loaded */
function fileOf({ tables }: Rendered['transformed'], { source, columns }: PlannedTable): RenderedTable {
  const file = tables.find(({ table }) => table === source.name)
  const isSame = columns.every((column, at) => {
    const known = file?.columns[at]
    return known?.name === column.target.name && known.form === formOf(column)
  })
  if (file && isSame && file.columns.length === columns.length) return file
  throw new Failure({
    code: 'OUTGROW_SOURCE_CHANGED',
    message: `The export’s columns of ${source.name} differ from those of the target’s table.`,
    why: 'It was transformed for different tables.',
    fix: 'Run outgrow transform again with this schema and target.',
  })
}

function quarantinedRows(path: string, table: string): QuarantinedRow[] {
  return readFileSync(path, 'utf8')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as QuarantinedRow)
    .filter((row) => row.table === table)
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
