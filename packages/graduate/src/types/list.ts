import { refused, type Encode, type EncodeContext, type Refused } from './encode.ts'
import { jsonOf } from './json.ts'

/** A Json array kept as an array on Postgres (`--keep-lists`). */
export function encodeList(elementOid: number, element: Encode, elementType: string): Encode {
  return (cell, writer, context) => {
    const text = jsonOf(cell, context)
    if (typeof text === 'object') return text
    const items = elementsOf(text)
    if (items === undefined) return refused('is not an array')
    let refusal: Refused | undefined
    writer.sized(() => {
      writer.int32(items.length === 0 ? 0 : 1)
      writer.int32(items.includes('null') ? 1 : 0)
      writer.int32(elementOid)
      if (items.length === 0) return
      writer.int32(items.length)
      writer.int32(1)
      for (const item of items) {
        if (item === 'null') writer.null()
        else {
          const value = elementCell(item, elementType)
          refusal ??=
            typeof value === 'object' ? value : element(value, writer, new ElementContext(context, value))
        }
      }
    })
    return refusal && refused(`has an element that ${refusal.reason}`, ...refusal.fixes)
  }
}

/** The JSON text of each element, as it is written: a number keeps every digit. Undefined when it is no array. */
function elementsOf(text: string): string[] | undefined {
  try {
    if (!Array.isArray(JSON.parse(text))) return undefined
  } catch {
    return undefined // it is not valid JSON
  }
  const body = text.slice(text.indexOf('[') + 1, text.lastIndexOf(']'))
  if (body.trim() === '') return []
  const items: string[] = []
  let depth = 0
  let start = 0
  // Strings are passed over whole: they may hold anything.
  for (const { 0: token, index } of body.matchAll(/"(?:[^"\\]|\\.)*"|[[\]{},]/gs)) {
    if (token === '[' || token === '{') depth++
    else if (token === ']' || token === '}') depth--
    else if (token === ',' && depth === 0) {
      items.push(body.slice(start, index).trim())
      start = index + 1
    }
  }
  items.push(body.slice(start).trim())
  return items
}

/** What an element is as a stored value of its type. */
function elementCell(item: string, type: string): string | number | Refused {
  if (type === 'json' || type === 'jsonb') return item
  if (item.startsWith('"')) {
    const text = JSON.parse(item) as string
    return text.isWellFormed() ? text : refused('contains half of a surrogate pair')
  }
  if (item === 'true' || item === 'false') {
    return type === 'bool' ? Number(item === 'true') : refused(`is ${item}, not ${type}`)
  }
  if (item.startsWith('[') || item.startsWith('{')) return refused(`is a nested value, not ${type}`)
  if (type === 'bool') return refused('is a number, not true or false')
  // Dates are milliseconds; other numbers are read from their text, which a double may not hold.
  return type.startsWith('time') || type === 'date' ? Number(item) : item
}

/** Elements are no cells of their own that could be read again: what they are is all in the text. */
class ElementContext implements EncodeContext {
  readonly rules: ReadonlySet<string>
  readonly #context: EncodeContext
  readonly #value: string | number

  constructor(context: EncodeContext, value: string | number) {
    this.rules = context.rules
    this.#context = context
    this.#value = value
  }

  readExactly(): ReturnType<EncodeContext['readExactly']> {
    const value = this.#value
    if (typeof value === 'number') return { storage: 'integer', value, bytes: Buffer.from(String(value)) }
    return { storage: 'text', value, bytes: Buffer.from(value) }
  }

  readJsonb(): string | null {
    return null
  }

  fixed(rule: string): void {
    this.#context.fixed(rule)
  }
}

/**
 * The Json array of a list's bytes (`array_send`): dimensions, flags, element type, the length and first index of each
 * dimension, then the elements.
 * @param element the JSON text of an element's bytes
 */
export function decodeList(field: Buffer, element: (field: Buffer) => string): string {
  const dimensions = field.readInt32BE()
  const lengths = Array.from({ length: dimensions }, (_, at) => field.readInt32BE(12 + 8 * at))
  let items: string[] = []
  for (let at = 12 + 8 * dimensions; at < field.length;) {
    const length = field.readInt32BE(at)
    items.push(length < 0 ? 'null' : element(field.subarray(at + 4, at + 4 + length)))
    at += 4 + Math.max(length, 0)
  }
  for (const length of lengths.slice(1).toReversed()) {
    const rows = Array.from({ length: items.length / length }, (_, row) =>
      items.slice(row * length, (row + 1) * length),
    )
    items = rows.map(listText)
  }
  return listText(items)
}

const listText = (items: string[]): string => `[${items.join(', ')}]`
