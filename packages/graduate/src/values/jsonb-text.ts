/** A JSON text that Postgres' `jsonb` does not take, with the reason. */
export class JsonbRefusal extends Error {}

/**
 * The text that Postgres gives for a `jsonb` made from `source`: keys by length and bytes, the last of equal keys,
 * `": "` and `", "`, numbers as `numeric` writes them. So two equal documents have one text, and no digit is lost.
 * @throws JsonbRefusal
 */
export function jsonbText(source: string): string {
  const first = source.charCodeAt(0)
  // Two out of three documents hold no number whose digits a double would change: the engine's own parser reads those.
  if ((first === 0x7b || first === 0x5b) && !needsCare.test(source) && !source.includes('\\u')) {
    try {
      return textOfValue(JSON.parse(source))
    } catch {
      // Not JSON, or nested too deeply: the parser below says which.
    }
  }
  const parser = new JsonParser(source)
  const text = parser.value(0)
  parser.blanks()
  if (parser.at < source.length) throw new JsonbRefusal('is no valid JSON')
  return text
}

/** Numbers whose text a double does not give back: trailing zeros, exponents, long or tiny ones, minus zero. */
const needsCare = /[:,[\s](?:-?\d+\.\d*0[,}\]\s]|-?[\d.]+[eE]|-?[\d.]{16}|-?0\.00000|-0[,}\]\s])/

// oxlint-disable-next-line no-control-regex
const needsEscape = /["\\\u0000-\u001f]/

function textOfValue(value: unknown): string {
  switch (typeof value) {
    case 'string':
      return needsEscape.test(value) ? JSON.stringify(value) : `"${value}"`
    case 'object':
      if (value === null) return 'null'
      return Array.isArray(value) ? textOfArray(value) : textOfObject(value as Record<string, unknown>)
    default:
      return `${value as number | boolean}`
  }
}

function textOfArray(items: unknown[]): string {
  let text = '['
  for (let at = 0; at < items.length; at++)
    text += at === 0 ? textOfValue(items[at]) : `, ${textOfValue(items[at])}`
  return `${text}]`
}

function textOfObject(object: Record<string, unknown>): string {
  const { keys, heads } = shapeOf(Object.keys(object))
  let text = '{'
  for (let at = 0; at < keys.length; at++) text += heads[at] + textOfValue(object[keys[at] as string])
  return `${text}}`
}

interface Shape {
  /** In Postgres' order. */
  keys: string[]
  /** `"key": ` with the comma before it. */
  heads: string[]
}

/** Documents of one column have few shapes: each is sorted once. By the first key, since that is quick to look up. */
const shapes = new Map<string, (Shape & { written: string[] })[]>()
let known = 0

function shapeOf(written: string[]): Shape {
  const first = written[0] ?? ''
  const candidates = shapes.get(first) ?? []
  for (const candidate of candidates) if (sameKeys(candidate.written, written)) return candidate
  const keys = written.toSorted(byByteLengthThenBytes)
  const heads = keys.map((key, at) => `${at === 0 ? '' : ', '}${JSON.stringify(key)}: `)
  // Documents whose keys are data would fill the memory.
  if (known++ < 2000 && candidates.length < 20) shapes.set(first, [...candidates, { written, keys, heads }])
  return { keys, heads }
}

function sameKeys(a: string[], b: string[]): boolean {
  if (a.length !== b.length) return false
  for (let at = 0; at < a.length; at++) if (a[at] !== b[at]) return false
  return true
}

function byByteLengthThenBytes(a: string, b: string): number {
  const left = Buffer.from(a)
  const right = Buffer.from(b)
  return left.length - right.length || Buffer.compare(left, right)
}

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
const number = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y
const deepest = 6000

class JsonParser {
  readonly source: string
  at = 0

  constructor(source: string) {
    this.source = source
  }

  value(depth: number): string {
    if (depth > deepest) throw new JsonbRefusal('is JSON nested too deeply')
    this.blanks()
    switch (this.source.charCodeAt(this.at)) {
      case 0x7b:
        return this.object(depth)
      case 0x5b:
        return this.array(depth)
      case 0x22:
        return this.string()
      case 0x74:
        return this.word('true')
      case 0x66:
        return this.word('false')
      case 0x6e:
        return this.word('null')
      default:
        return this.number()
    }
  }

  object(depth: number): string {
    const entries: [key: string, value: string][] = []
    this.at++
    this.blanks()
    if (this.take(0x7d)) return '{}'
    for (;;) {
      this.blanks()
      if (this.source.charCodeAt(this.at) !== 0x22) throw invalid()
      const key = this.string()
      this.blanks()
      if (!this.take(0x3a)) throw invalid()
      entries.push([key, this.value(depth + 1)])
      this.blanks()
      if (this.take(0x7d)) break
      if (!this.take(0x2c)) throw invalid()
    }
    return `{${sortedEntries(entries)}}`
  }

  array(depth: number): string {
    this.at++
    this.blanks()
    if (this.take(0x5d)) return '[]'
    let text = ''
    for (;;) {
      text += text === '' ? this.value(depth + 1) : `, ${this.value(depth + 1)}`
      this.blanks()
      if (this.take(0x5d)) return `[${text}]`
      if (!this.take(0x2c)) throw invalid()
    }
  }

  /** The string in Postgres' own spelling, quotes included. */
  string(): string {
    const start = this.at
    const { source } = this
    for (let at = start + 1; at < source.length; at++) {
      const code = source.charCodeAt(at)
      if (code === 0x22) {
        this.at = at + 1
        return source.slice(start, this.at)
      }
      if (code === 0x5c) return this.escapedString(start, at)
      if (code < 0x20) throw invalid()
    }
    throw invalid()
  }

  escapedString(start: number, firstEscape: number): string {
    const { source } = this
    let raw = source.slice(start + 1, firstEscape)
    for (let at = firstEscape; at < source.length; at++) {
      const char = source[at] as string
      if (char === '"') {
        this.at = at + 1
        if (!raw.isWellFormed()) throw new JsonbRefusal('holds half of a surrogate pair in JSON')
        return quote(raw)
      }
      if (char < ' ') throw invalid()
      if (char !== '\\') {
        raw += char
        continue
      }
      const escape = source[++at] as string
      if (escape === 'u') {
        const hex = source.slice(at + 1, at + 5)
        if (!/^[0-9a-f]{4}$/i.test(hex)) throw invalid()
        if (hex === '0000') throw new JsonbRefusal('holds \\u0000 in JSON, which PostgreSQL cannot')
        raw += String.fromCharCode(Number.parseInt(hex, 16))
        at += 4
      } else {
        const plain = valueOfEscape[escape]
        if (plain === undefined) throw invalid()
        raw += plain
      }
    }
    throw invalid()
  }

  number(): string {
    number.lastIndex = this.at
    const match = number.exec(this.source)
    if (!match) throw invalid()
    const text = match[0]
    this.at += text.length
    const next = this.source.charCodeAt(this.at)
    if ((next >= 0x30 && next <= 0x39) || next === 0x2e) throw invalid()
    return numericText(text)
  }

  word(word: string): string {
    if (!this.source.startsWith(word, this.at)) throw invalid()
    this.at += word.length
    return word
  }

  take(code: number): boolean {
    if (this.source.charCodeAt(this.at) !== code) return false
    this.at++
    return true
  }

  blanks(): void {
    for (;;) {
      const code = this.source.charCodeAt(this.at)
      if (code !== 0x20 && code !== 0x0a && code !== 0x0d && code !== 0x09) return
      this.at++
    }
  }
}

function invalid(): JsonbRefusal {
  return new JsonbRefusal('is no valid JSON')
}

function quote(raw: string): string {
  let text = '"'
  for (const char of raw) {
    text += escapeOf[char] ?? (char < ' ' ? `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}` : char)
  }
  return `${text}"`
}

function sortedEntries(entries: [key: string, value: string][]): string {
  if (entries.length > 1) {
    // A later key wins over an earlier equal one.
    const last = new Map(entries)
    entries = last.size === entries.length ? entries : [...last]
    entries = entries
      .map(([key, value]): [string, string, string] => [key, value, JSON.parse(key) as string])
      .toSorted((a, b) => byByteLengthThenBytes(a[2], b[2]))
      .map(([key, value]) => [key, value])
  }
  let text = ''
  for (const [key, value] of entries) text += `${text === '' ? '' : ', '}${key}: ${value}`
  return text
}

/** A JSON number as Postgres' `numeric` prints it: no exponent, the written digits behind the point kept. */
function numericText(text: string): string {
  if (text.length < 16 && /^-?(0|[1-9]\d*)$/.test(text)) return text === '-0' ? '0' : text
  const match = /^(-?)(\d+)(?:\.(\d+))?(?:[eE]([+-]?\d+))?$/.exec(text) as RegExpExecArray
  let whole = match[2] as string
  let fraction = match[3] ?? ''
  const exponent = Number(match[4] ?? 0)
  if (Math.abs(exponent) > 100_000) throw new JsonbRefusal('holds a number beyond PostgreSQL’s range in JSON')
  if (exponent > 0) {
    whole += fraction.slice(0, exponent).padEnd(exponent, '0')
    fraction = fraction.slice(exponent)
  } else if (exponent < 0) {
    const padded = whole.padStart(-exponent + 1, '0')
    fraction = padded.slice(padded.length + exponent) + fraction
    whole = padded.slice(0, padded.length + exponent)
  }
  whole = whole.replace(/^0+(?=\d)/, '')
  if (whole.length > 131072 || fraction.length > 16383) {
    throw new JsonbRefusal('holds a number beyond PostgreSQL’s range in JSON')
  }
  const digits = fraction === '' ? whole : `${whole}.${fraction}`
  return match[1] === '-' && /[1-9]/.test(digits) ? `-${digits}` : digits
}
