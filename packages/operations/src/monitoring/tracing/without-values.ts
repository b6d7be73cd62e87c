/** Statements of thousands of rows say nothing more at their end. */
const maxLength = 4000

// In this order: what comes first holds what follows it. A quote or comment that does not end goes to the end.
const pieces = new RegExp(
  [
    /"(?:[^"]|"")*(?:"|$)/, // a name
    /\$[\p{L}_][\p{L}\p{N}_]*\$|\$\$/u, // the start of a dollar-quoted text, whose end is looked for
    /\b[eE]'(?:[^'\\]|\\[^]|'')*(?:'|$)/,
    /(?:\b(?:[xXbBnN]|[uU]&))?'(?:[^']|'')*(?:'|$)/,
    /--[^\n]*/,
    /\/\*[^]*?(?:\*\/|$)/,
    /[$?:@][\p{L}\p{N}_]+/u, // a parameter
    /[\p{L}_][\p{L}\p{N}_$]*/u, // a word
    /\d[\p{L}\p{N}_.]*(?:(?<=[eE])[+-]\d+)?/u, // a number
  ]
    .map(({ source }) => `(?:${source})`)
    .join('|'),
  'gu',
)

/** A statement of either database with a question mark in place of each literal, and without comments. */
export function withoutValues(sql: string): string {
  let text = ''
  let at = 0
  pieces.lastIndex = 0
  for (let found = pieces.exec(sql); found; found = pieces.exec(sql)) {
    const [piece] = found
    text += sql.slice(at, found.index)
    at = found.index + piece.length
    if (piece.startsWith('$') && piece.endsWith('$')) {
      const end = sql.indexOf(piece, at)
      at = end === -1 ? sql.length : end + piece.length
      text += '?'
    } else text += shown(piece)
    pieces.lastIndex = at
    if (at >= sql.length) break
  }
  text += sql.slice(at)
  return text.length > maxLength ? `${text.slice(0, maxLength)}…` : text
}

function shown(piece: string): string {
  if (/^(--|\/\*)/.test(piece)) return ''
  const isKept =
    /^["$?:@]/.test(piece) || (/^[\p{L}_]/u.test(piece) && !piece.endsWith("'") && !piece.includes("'"))
  return isKept ? piece : '?'
}
