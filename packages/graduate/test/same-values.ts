import { readSourceTables, type SqliteDatabase } from '@outgrow/databases'
import type { TestDatabase } from '@outgrow/testing'

/**
 * Compares both sides by plain SQL text, cell by cell: nothing here knows how the move encodes a value.
 * A row that is in `_outgrow_quarantine` was named. Each table has an integer key `id`.
 */
export async function differences(file: SqliteDatabase, target: TestDatabase): Promise<string[]> {
  const wrong: string[] = []
  const named = await namedRows(target)
  for (const { name, columns, owner } of readSourceTables(file)) {
    if (owner !== undefined) continue
    const types = await columnTypes(target, name)
    const cells = columns.map(({ name: column }) => shownBySqlite(column)).join(', ')
    const rows = file.prepare(`SELECT ${cells} FROM "${name}" ORDER BY id`).raw().all() as (string | null)[][]
    const shown = await target.query(
      `SELECT ${columns.map(({ name: column }) => shownByPostgres(column, types.get(column) ?? '')).join(', ')} FROM "${name}"`,
    )
    const byId = new Map(shown.map((row) => [row.id, row]))
    for (const row of rows) {
      const id = row[1] as string
      const other = byId.get(id)
      if (other === undefined) {
        if (!named.has(`${name} ${id}`)) wrong.push(`${name} ${id} is gone and was not named`)
        continue
      }
      byId.delete(id)
      for (const [at, { name: column }] of columns.entries()) {
        const [storage, text, hex] = row.slice(at * 3, at * 3 + 3) as [string, string, string]
        const type = types.get(column) ?? ''
        const arrived = other[column] as string | null
        const same =
          storage === 'null'
            ? arrived === null
            : arrived !== null && isSame({ storage, text, hex }, type, arrived)
        if (!same)
          wrong.push(`${name} ${id} ${column} ${type}: ${storage} ${text} (${hex}) became ${arrived}`)
      }
    }
    for (const id of byId.keys()) wrong.push(`${name} ${String(id)} came from nowhere`)
  }
  return wrong
}

function shownBySqlite(column: string): string {
  const text = `CASE WHEN typeof("${column}") = 'blob' AND json_valid("${column}", 8) THEN json("${column}") ELSE CAST("${column}" AS TEXT) END`
  return `typeof("${column}"), ${text}, hex("${column}")`
}

function shownByPostgres(column: string, type: string): string {
  const shown = /^timestamp|^date$/.test(type)
    ? `trunc(extract(epoch FROM "${column}") * 1000000)::text`
    : type === 'text'
      ? `encode(convert_to("${column}", 'UTF8'), 'hex')`
      : type === 'bytea'
        ? `encode("${column}", 'hex')`
        : `"${column}"::text`
  return `${shown} AS "${column}"`
}

async function namedRows(target: TestDatabase): Promise<Set<string>> {
  const [known] = await target.query("SELECT to_regclass('_outgrow_quarantine') AS id")
  if (known?.id === null) return new Set()
  const rows = await target.query("SELECT table_name, key->>'id' AS id FROM _outgrow_quarantine")
  return new Set(rows.map(({ table_name: table, id }) => `${String(table)} ${String(id)}`))
}

async function columnTypes(target: TestDatabase, table: string): Promise<Map<string, string>> {
  const rows = await target.query(
    "SELECT column_name AS name, data_type AS type FROM information_schema.columns WHERE table_schema = 'public' AND table_name = $1",
    [table],
  )
  return new Map(rows.map(({ name, type }) => [String(name), String(type)]))
}

interface Stored {
  storage: string
  text: string
  hex: string
}

function isSame({ storage, text, hex }: Stored, type: string, arrived: string): boolean {
  switch (type) {
    case 'integer':
    case 'bigint':
    case 'numeric':
      return isSameNumber(storage, text, arrived)
    case 'double precision':
      // Postgres shows the shortest digits that lead to the double, not all that it has.
      return storage === 'integer'
        ? Number.isInteger(Number(arrived)) && BigInt(Number(arrived)) === BigInt(text)
        : isSameNumber(storage, text, arrived)
    case 'boolean':
      return (Number(text) === 1) === (arrived === 'true') && /^[01](\.0)?$/.test(text)
    case 'timestamp with time zone':
    case 'timestamp without time zone':
    case 'date':
      return microsOf(storage, text) === BigInt(arrived)
    case 'jsonb':
    case 'json':
      return storage === 'real' ? isSameNumber(storage, text, arrived) : isSameJson(text, arrived)
    case 'text':
      return (
        (storage === 'text' || storage === 'blob' ? hex : Buffer.from(text).toString('hex')).toLowerCase() ===
        arrived
      )
    case 'bytea':
      return hex.toLowerCase() === arrived
    default:
      throw new Error(`no comparison for ${type}`)
  }
}

/** A real is what its seventeen digits read as; everything else is compared digit by digit. */
function isSameNumber(storage: string, text: string, arrived: string): boolean {
  if (storage === 'real') return Number(text.replace('Inf', 'Infinity')) === Number(arrived)
  const unsigned = (digits: string) => (/[1-9]/.test(digits) ? digits : digits.replace('-', ''))
  return unsigned(digitsOf(text.trim())) === unsigned(digitsOf(arrived))
}

/** One spelling for one decimal number. */
export function digitsOf(text: string): string {
  const match = /^([+-]?)(\d*)\.?(\d*)(?:e([+-]?\d+))?$/i.exec(text)
  if (!match) return `no number: ${text}`
  const [, sign, whole = '', fraction = '', exponent = '0'] = match
  const digits = whole + fraction
  const point = whole.length + Number(exponent)
  const padded = digits.padEnd(point, '0').padStart(digits.length - Math.min(point, 0), '0')
  const at = Math.max(point, 0)
  return `${sign === '-' ? '-' : ''}${padded.slice(0, at).replace(/^0+/, '')}.${padded.slice(at).replace(/0+$/, '')}`
}

/** Microseconds since 1970 of milliseconds, or of an ISO text. */
function microsOf(storage: string, text: string): bigint {
  if (storage !== 'text') return BigInt(Math.round(Number(text))) * 1000n
  const [, date = '', time = '00:00:00', fraction = '', zone = ''] =
    /^([+-]\d{6}-\d\d-\d\d|\S{10})(?:[T ](\d\d:\d\d(?::\d\d)?))?(?:\.(\d+))?\s*(\S*)$/.exec(text.trim()) ?? []
  const whole = BigInt(
    Date.parse(`${date}T${time.length === 5 ? `${time}:00` : time}${zone === '' ? 'Z' : zone.toUpperCase()}`),
  )
  return whole * 1000n + BigInt(fraction.padEnd(6, '0').slice(0, 6))
}

/** Equal members in any order, each number digit by digit; a member that is there twice is not equal to one. */
function isSameJson(a: string, b: string): boolean {
  return JSON.stringify(flatJson(a)) === JSON.stringify(flatJson(b))
}

function flatJson(text: string): unknown {
  const tokens = [...text.matchAll(/"(?:[^"\\]|\\.)*"|[[\]{},:]|[^\s[\]{},:"]+/gs)].map(([token]) => token)
  let at = 0
  const value = (): unknown => {
    const token = tokens[at++] as string
    if (token === '{') {
      const members: [string, unknown][] = []
      while (tokens[at] !== '}') {
        if (tokens[at] === ',') at++
        const key = JSON.parse(tokens[at] as string) as string
        at += 2
        members.push([key, value()])
      }
      at++
      return { members: members.toSorted(([x], [y]) => (x < y ? -1 : x > y ? 1 : 0)) }
    }
    if (token === '[') {
      const items: unknown[] = []
      while (tokens[at] !== ']') {
        if (tokens[at] === ',') at++
        items.push(value())
      }
      at++
      return items
    }
    if (token.startsWith('"')) return JSON.parse(token)
    return /^-?\d/.test(token) ? { number: digitsOf(token) } : token
  }
  return value()
}
