import { isUtf8 } from 'node:buffer'
import { jsonLastKey } from '../rules/json-last-key.ts'
import { refused, type Encode, type EncodeContext, type Refused, type Value } from './encode.ts'
import { KeyPath } from './jsonb/key-path.ts'
import { JsonbRefusal } from './jsonb/refusal.ts'
import { writeJsonbText } from './jsonb/text.ts'
import type { EncodeStored } from './stored-cell.ts'
import { decodeUtf8 } from './utf8.ts'
import type { ValueType } from './value-type.ts'

/** As `jsonb` (version byte and text), or as `json` (the text as it stands). */
function encoder(type: 'jsonb' | 'json'): Encode {
  const keys = KeyPath.root()
  return (cell, writer, context) => {
    const text = jsonOf(cell, context)
    if (typeof text === 'object') return text
    const start = writer.at
    try {
      writer.int32(0)
      if (type === 'jsonb') writer.byte(1)
      const loss = writeJsonbText(text, writer, keys)
      if (loss !== undefined && type === 'jsonb') {
        if (!context.rules.has(jsonLastKey.name)) {
          return refused(loss, jsonLastKey.name, 'keep the column as json: @db.Json')
        }
        context.fixed(jsonLastKey.name)
      }
    } catch (error) {
      if (error instanceof JsonbRefusal) return refused(error.message)
      if (error instanceof RangeError) return refused('is JSON nested too deeply') // the stack is at its end
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

/** As `jsonb`, of a text in which nothing is lost; why another one is refused is for the encoder to say. */
function storedEncoder(): EncodeStored {
  const keys = KeyPath.root()
  return ({ storage, bytes, at, length }, writer) => {
    if (storage !== 'text') return false
    const text = bytes.subarray(at, at + length)
    if (!isUtf8(text)) return false
    const start = writer.at
    writer.int32(0)
    writer.byte(1)
    try {
      if (writeJsonbText(text, writer, keys) !== undefined) return false
    } catch (error) {
      if (error instanceof JsonbRefusal || error instanceof RangeError) return false
      throw error
    }
    writer.sizeFrom(start)
    return true
  }
}

/** JSON text of a cell: TEXT as it stands, numbers that NUMERIC affinity made, and SQLite's own JSONB blobs. */
export function jsonOf(cell: Value, context: EncodeContext): string | Refused {
  if (typeof cell === 'string') {
    if (!cell.includes('\uFFFD')) return cell
    const { bytes } = context.readExactly()
    return bytes !== null && decodeUtf8(bytes) === cell ? cell : refused('contains bytes that are not UTF-8')
  }
  if (typeof cell === 'bigint') return String(cell)
  if (typeof cell === 'number') {
    if (!Number.isFinite(cell)) return refused('is infinite')
    return Number.isSafeInteger(cell) || !Number.isInteger(cell)
      ? String(cell)
      : String(context.readExactly().value)
  }
  const json = context.readJsonb() ?? textOfBlob(cell, context)
  return json ?? refused('is binary data that is not SQLite’s JSONB')
}

/** Some programs store a document's text as binary data, which SQLite's JSON functions read as well. */
function textOfBlob(cell: Buffer, context: EncodeContext): string | undefined {
  const text = decodeUtf8(cell)
  if (text === undefined || !/^\s*[[{"\dtfn-]/.test(text)) return undefined
  context.fixed('note:json-from-blob')
  return text
}

const decode = (field: Buffer) => field.toString('utf8')

export const jsonType: ValueType = {
  prisma: 'Json',
  column: (native) => [native === '@db.Json' ? 'json' : 'jsonb', -1],
  sql: {
    jsonb: {
      kind: 'json',
      encoder: () => encoder('jsonb'),
      storedEncoder,
      decode: (field) => decode(field.subarray(1)),
      wider: 'jsonb',
    },
    json: { kind: 'json', encoder: () => encoder('json'), decode, wider: 'text' },
  },
}
