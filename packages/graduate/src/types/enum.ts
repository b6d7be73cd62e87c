import { refused, type Encode } from './encode.ts'
import { textOf } from './text-of.ts'

/** An enum's stored text, which must be one of its values. */
export function encodeEnum(values: string[]): Encode {
  const known = new Set(values)
  return (cell, writer, context) => {
    const text = textOf(cell, context)
    if (typeof text === 'object') return text
    if (!known.has(text)) {
      return refused(
        `is not one of ${values.slice(0, 8).join(', ')}${nearest(text, values)}`,
        'add the value to the enum',
      )
    }
    writer.text(text)
    return undefined
  }
}

function nearest(text: string, values: string[]): string {
  const folded = (value: string) => value.toLowerCase().replaceAll(/[^\p{L}\p{N}]/gu, '')
  const match =
    values.find((value) => folded(value) === folded(text)) ??
    values.find((value) => distance(folded(value), folded(text)) <= 2)
  return match === undefined ? '' : ` (nearest: ${match})`
}

/** Levenshtein distance. */
function distance(a: string, b: string): number {
  if (Math.abs(a.length - b.length) > 2) return 3
  let row = Array.from({ length: b.length + 1 }, (_, at) => at)
  for (let i = 1; i <= a.length; i++) {
    const next = [i]
    for (let j = 1; j <= b.length; j++) {
      const change = (row[j - 1] as number) + (a[i - 1] === b[j - 1] ? 0 : 1)
      next.push(Math.min(change, (row[j] as number) + 1, (next[j - 1] as number) + 1))
    }
    row = next
  }
  return row[b.length] as number
}
