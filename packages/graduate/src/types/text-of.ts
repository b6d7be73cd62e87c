import { applyRule } from '../rules/rule.ts'
import { textStripNul } from '../rules/text-strip-nul.ts'
import { refused, type EncodeContext, type Refused, type Value } from './encode.ts'
import { decodeUtf8 } from './utf8.ts'

/** The text of a cell; what is stored as another class becomes the text that SQLite's CAST gives. */
export function textOf(cell: Value, context: EncodeContext): string | Refused {
  if (typeof cell === 'string') {
    if (cell.includes('\0')) return withoutNul(cell, context)
    return cell.includes('\uFFFD') ? checkedText(cell, context) : cell
  }
  const exact = context.readExactly()
  if (exact.storage === 'blob') {
    const text = decodeUtf8(cell as Buffer)
    if (text === undefined) return refused('is binary data that is not UTF-8 text')
    context.fixed('note:text-from-blob')
    return text.includes('\0') ? withoutNul(text, context) : text
  }
  context.fixed(`note:text-from-${exact.storage}`)
  return (exact.bytes as Buffer).toString('utf8')
}

function withoutNul(text: string, context: EncodeContext): string | Refused {
  const checked = text.includes('\uFFFD') ? checkedText(text, context) : text
  if (typeof checked === 'object') return checked
  return (
    applyRule(textStripNul, checked, context) ??
    refused('contains a NUL byte, which PostgreSQL text cannot', textStripNul.name)
  )
}

/** U+FFFD is a real character, or what the driver made of bytes that are no UTF-8: the bytes tell. */
function checkedText(text: string, context: EncodeContext): string | Refused {
  const bytes = context.readExactly().bytes
  if (bytes !== null && decodeUtf8(bytes) === text) return text
  return refused('contains bytes that are not UTF-8')
}
