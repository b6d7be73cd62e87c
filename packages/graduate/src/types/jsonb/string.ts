import { invalidJson, JsonbRefusal } from './refusal.ts'

const escapeOf: Record<string, string> = {
  '"': '\\"',
  '\\': '\\\\',
  '\b': '\\b',
  '\f': '\\f',
  '\n': '\\n',
  '\r': '\\r',
  '\t': '\\t',
}
const valueOfEscape: Record<string, string> = {
  '"': '"',
  '\\': '\\',
  '/': '/',
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
}

/**
 * A JSON string that holds escapes, in Postgres' spelling.
 * @param raw what stands between the quotes
 * @throws JsonbRefusal
 */
export function respelled(raw: string): string {
  const text = unescaped(raw)
  if (!text.isWellFormed()) throw new JsonbRefusal('contains half of a surrogate pair in JSON')
  return quote(text)
}

function unescaped(raw: string): string {
  return raw.replaceAll(/\\(?:u([0-9a-fA-F]{4})|(.?))/gs, (_, hex: string | undefined, letter: string) => {
    if (hex === undefined) {
      const plain = valueOfEscape[letter]
      if (plain === undefined) throw invalidJson()
      return plain
    }
    if (hex === '0000') throw new JsonbRefusal('contains \\u0000 in JSON, which PostgreSQL cannot store')
    return String.fromCharCode(Number.parseInt(hex, 16))
  })
}

function quote(raw: string): string {
  let text = '"'
  for (const char of raw) {
    text += escapeOf[char] ?? (char < ' ' ? `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}` : char)
  }
  return `${text}"`
}
