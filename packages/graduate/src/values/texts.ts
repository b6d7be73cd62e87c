import { bad, type Bad, type Cast, type Cell, type Encode } from './codec.ts'
import { decodeUtf8 } from './utf8.ts'

/**
 * Prisma `String`: byte for byte.
 * @param limit most characters (`varchar(n)`), undefined when unbounded
 * @param pad blanks are added up to `limit` (`char(n)`)
 */
export function encodeText(limit: number | undefined, pad: boolean): Encode {
  return (cell, writer, cast) => {
    const text = textOf(cell, cast)
    if (typeof text === 'object') return text
    if (limit !== undefined && text.length > limit && characters(text) > limit) {
      return bad(`is longer than ${limit} characters`, 'give the field a larger @db.VarChar, or none')
    }
    const padded = pad && limit !== undefined ? text.padEnd(limit + text.length - characters(text)) : text
    if (padded !== text) {
      if (!cast.rules.has('text-pad')) {
        return bad(`is shorter than ${limit} characters, and the target adds blanks`, 'text-pad')
      }
      cast.fixed('text-pad')
    }
    writer.text(padded)
    return undefined
  }
}

/** Code points, as Postgres counts characters. */
function characters(text: string): number {
  return Array.from(text).length
}

/** An enum's stored text, which must be one of its values. */
export function encodeEnum(values: string[]): Encode {
  const known = new Set(values)
  return (cell, writer, cast) => {
    const text = textOf(cell, cast)
    if (typeof text === 'object') return text
    if (!known.has(text)) {
      return bad(
        `is not one of ${values.slice(0, 8).join(', ')}${nearest(text, values)}`,
        'add the value to the enum',
      )
    }
    writer.text(text)
    return undefined
  }
}

/** `@db.Uuid` */
export const encodeUuid: Encode = (cell, writer, cast) => {
  const text = textOf(cell, cast)
  if (typeof text === 'object') return text
  const hex = text.replaceAll('-', '')
  if (!/^[0-9a-f]{32}$/i.test(hex) || !/^(.{8}-.{4}-.{4}-.{4}-.{12}|.{32})$/.test(text)) {
    return bad('is no UUID', 'take @db.Uuid off the field')
  }
  if (text.length !== 36 || text !== text.toLowerCase()) {
    if (!cast.rules.has('uuid-respell')) {
      return bad('is a UUID that PostgreSQL spells in another way', 'uuid-respell')
    }
    cast.fixed('uuid-respell')
  }
  writer.int32(16)
  writer.bytes(Buffer.from(hex, 'hex'))
  return undefined
}

/** The text of a cell; what is stored as another class becomes the text that SQLite's CAST gives. */
function textOf(cell: Exclude<Cell, null>, cast: Cast): string | Bad {
  if (typeof cell === 'string') {
    if (cell.includes('\0')) return withoutNul(cell, cast)
    return cell.includes('\uFFFD') ? checkedText(cell, cast) : cell
  }
  const exact = cast.readExactly()
  if (exact.storage === 'blob') {
    const text = decodeUtf8(cell as Buffer)
    if (text === undefined) return bad('is binary data that is no UTF-8 text')
    cast.fixed('note:text-from-blob')
    return text.includes('\0') ? withoutNul(text, cast) : text
  }
  cast.fixed(`note:text-from-${exact.storage}`)
  return (exact.bytes as Buffer).toString('utf8')
}

function withoutNul(text: string, cast: Cast): string | Bad {
  if (!cast.rules.has('text-strip-nul')) {
    return bad('holds a NUL byte, which PostgreSQL text cannot', 'text-strip-nul')
  }
  const checked = text.includes('\uFFFD') ? checkedText(text, cast) : text
  if (typeof checked === 'object') return checked
  cast.fixed('text-strip-nul')
  return checked.replaceAll('\0', '')
}

/** U+FFFD is a real character, or what the driver made of bytes that are no UTF-8: the bytes tell. */
function checkedText(text: string, cast: Cast): string | Bad {
  const bytes = cast.readExactly().bytes
  if (bytes !== null && decodeUtf8(bytes) === text) return text
  return bad('holds bytes that are no UTF-8')
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
