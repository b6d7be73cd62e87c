/** A value in a form that is safe to print: control characters escaped, long text cut, binary data as hex. */
export function excerptOf(value: unknown): string | null {
  if (value === null || value === undefined) return null
  if (Buffer.isBuffer(value)) {
    return `x'${value.subarray(0, 20).toString('hex')}'${value.length > 20 ? `… (${value.length} bytes)` : ''}`
  }
  const text = typeof value === 'string' ? value : reportedText(value)
  const shown = text.length > 60 ? `${text.slice(0, 57)}…` : text
  return typeof value === 'string' ? JSON.stringify(shown) : shown
}

export function reportedValue(value: unknown): string | number | null {
  if (value === null || value === undefined) return null
  if (typeof value === 'number') return value
  if (typeof value === 'bigint' && Number.isSafeInteger(Number(value))) return Number(value)
  if (Buffer.isBuffer(value)) return value.toString('hex')
  return reportedText(value)
}

/** SQLite's values are numbers, bigints, texts and buffers; anything else is shown as JSON. */
function reportedText(value: unknown): string {
  // Neither a terminal nor Postgres' json takes a NUL.
  if (typeof value === 'string') return value.includes('\0') ? JSON.stringify(value) : value
  return typeof value === 'bigint' || typeof value === 'number' ? String(value) : JSON.stringify(value)
}
