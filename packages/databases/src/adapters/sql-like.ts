/**
 * SQL's LIKE, folding the case of every script, with `\\` as the escape: what Postgres' ILIKE does.
 * Linear in the text for each wildcard, whatever the pattern: it may come from a search box.
 */
export function sqlLike(pattern: unknown, value: unknown): number | null {
  if (pattern === null || value === null) return null
  return matches(tokensOf(textOf(pattern)), Array.from(textOf(value).toLowerCase())) ? 1 : 0
}

type Token = { kind: 'any' } | { kind: 'one' } | { kind: 'char'; char: string }

let lastPattern: { text: string; tokens: Token[] } | undefined

function tokensOf(pattern: string): Token[] {
  if (lastPattern?.text === pattern) return lastPattern.tokens
  const tokens: Token[] = []
  const chars = Array.from(pattern.toLowerCase())
  for (let at = 0; at < chars.length; at++) {
    const char = chars[at] as string
    if (char === '%') tokens.push({ kind: 'any' })
    else if (char === '_') tokens.push({ kind: 'one' })
    else if (char === '\\' && at + 1 < chars.length)
      tokens.push({ kind: 'char', char: chars[++at] as string })
    else tokens.push({ kind: 'char', char })
  }
  lastPattern = { text: pattern, tokens }
  return tokens
}

/** Walks on greedily and, when stuck, lets the last `%` take one character more. */
function matches(tokens: Token[], text: string[]): boolean {
  let token = 0
  let at = 0
  let anyToken = -1
  let anyAt = 0
  while (at < text.length) {
    const current = tokens[token]
    if (current?.kind === 'any') {
      anyToken = token++
      anyAt = at
    } else if (current && (current.kind === 'one' || current.char === text[at])) {
      token++
      at++
    } else if (anyToken >= 0) {
      token = anyToken + 1
      at = ++anyAt
    } else return false
  }
  while (tokens[token]?.kind === 'any') token++
  return token === tokens.length
}

function textOf(value: unknown): string {
  if (typeof value === 'string') return value
  return Buffer.isBuffer(value) ? value.toString('utf8') : `${value as number | bigint}`
}
