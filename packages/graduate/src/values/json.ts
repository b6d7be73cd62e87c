import type { Cast, Cell, Encode } from './codec.ts'
import { bad, type Bad } from './codec.ts'
import { JsonbRefusal } from './jsonb-refusal.ts'
import { writeJsonbText } from './jsonb-text.ts'
import { decodeUtf8 } from './utf8.ts'

/** Prisma `Json` as `jsonb` (version byte and text), or as `json` (the text as it stands). */
export function encodeJson(type: 'jsonb' | 'json'): Encode {
  return (cell, writer, cast) => {
    const text = jsonOf(cell, cast)
    if (typeof text === 'object') return text
    const start = writer.at
    try {
      writer.int32(0)
      if (type === 'jsonb') writer.byte(1)
      const loss = writeJsonbText(text, writer)
      if (loss !== undefined && type === 'jsonb') {
        if (!cast.rules.has('json-last-key')) {
          return bad(loss, 'json-last-key', 'keep the column as json: @db.Json')
        }
        cast.fixed('json-last-key')
      }
    } catch (error) {
      if (error instanceof JsonbRefusal) return bad(error.message)
      if (error instanceof RangeError) return bad('is JSON nested too deeply') // the stack is at its end
      throw error
    }
    if (type === 'jsonb') writer.sizeFrom(start)
    else {
      writer.at = start
      writer.text(text)
    }
    return undefined
  }
}

/** JSON text of a cell: TEXT as it stands, numbers that NUMERIC affinity made, and SQLite's own JSONB blobs. */
export function jsonOf(cell: Exclude<Cell, null>, cast: Cast): string | Bad {
  if (typeof cell === 'string') {
    if (!cell.includes('\uFFFD')) return cell
    const { bytes } = cast.readExactly()
    return bytes !== null && decodeUtf8(bytes) === cell ? cell : bad('holds bytes that are no UTF-8')
  }
  if (typeof cell === 'bigint') return String(cell)
  if (typeof cell === 'number') {
    if (!Number.isFinite(cell)) return bad('is infinite')
    return Number.isSafeInteger(cell) || !Number.isInteger(cell)
      ? String(cell)
      : String(cast.readExactly().value)
  }
  const json = cast.readJsonb() ?? textOfBlob(cell, cast)
  return json ?? bad('is binary data that is no JSONB of SQLite')
}

/** Some programs store a document's text as binary data, which SQLite's JSON functions read as well. */
function textOfBlob(cell: Buffer, cast: Cast): string | undefined {
  const text = decodeUtf8(cell)
  if (text === undefined || !/^\s*[[{"\dtfn-]/.test(text)) return undefined
  cast.fixed('note:json-from-blob')
  return text
}
