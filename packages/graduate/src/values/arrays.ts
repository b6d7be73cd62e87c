import { bad, type Encode } from './codec.ts'
import { jsonOf } from './json.ts'

/** A Json array kept as an array on Postgres (`--keep-lists`). */
export function encodeArray(elementOid: number, element: Encode, isJson: boolean): Encode {
  return (cell, writer, cast) => {
    const text = jsonOf(cell, cast)
    if (typeof text === 'object') return text
    let items: unknown
    try {
      items = JSON.parse(text)
    } catch {
      return bad('is no valid JSON')
    }
    if (!Array.isArray(items)) return bad('is no array')
    const refusals: (ReturnType<typeof bad> | undefined)[] = []
    writer.sized(() => {
      writer.int32(items.length === 0 ? 0 : 1)
      writer.int32(items.includes(null) ? 1 : 0)
      writer.int32(elementOid)
      if (items.length === 0) return
      writer.int32(items.length)
      writer.int32(1)
      for (const item of items as unknown[]) {
        if (item === null) writer.null()
        else refusals.push(element(elementCell(item, isJson), writer, cast))
      }
    })
    const refusal = refusals.find((found) => found !== undefined)
    return refusal && bad(`has an element that ${refusal.reason}`, ...refusal.fixes)
  }
}

function elementCell(item: unknown, isJson: boolean): string | number {
  if (isJson || (typeof item === 'object' && item !== null)) return JSON.stringify(item)
  if (typeof item === 'boolean') return item ? 1 : 0
  return item as string | number
}
