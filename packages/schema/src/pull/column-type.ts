import { quoteIdentifier, type SourceColumn, type SqliteDatabase } from '@outgrow/databases'

/** What a column holds, counted over the whole table. */
export interface Content {
  integers: number
  reals: number
  texts: number
  blobs: number
  /** As decimal text: integers are 64 bits wide. */
  lowest: string | null
  highest: string | null
  /** Numbers that are neither 0 nor 1. */
  notBoolean: number
  /** Texts that are no ISO date. */
  notDate: number
  /** Integers that are no milliseconds of any day after 3 March 1973 or before its mirror. */
  smallIntegers: number
  /** Texts with digits below a millisecond. */
  fineDates: number
  /** Most digits behind the point. */
  scale: number
  /** Texts that are no whole number. */
  notWhole: number
  /** Numbers with a fraction. */
  fractions: number
}

export interface PulledType {
  /** Prisma's scalar type. */
  type: string
  /** What Postgres gets beyond it, such as `@db.Decimal(10, 2)`. */
  native: string | null
}

/** Columns counted in one pass: a statement of SQLite gives 2000 values at most. */
const columnsPerPass = 100

/** Looks at every value of the columns once; by their names. */
export function readContents(
  database: SqliteDatabase,
  table: string,
  columns: string[],
): Map<string, Content> {
  const contents = new Map<string, Content>()
  for (let from = 0; from < columns.length; from += columnsPerPass) {
    const pass = columns.slice(from, from + columnsPerPass)
    const counted = pass.map((column) => Object.entries(countsOf(column)))
    const select = counted.flatMap((counts) => counts.map(([, sql]) => sql)).join(', ')
    const values = database
      .prepare(`SELECT ${select} FROM ${quoteIdentifier(table)}`)
      .raw()
      .get() as unknown[]
    let at = 0
    for (const [index, counts] of counted.entries()) {
      const content = Object.fromEntries(counts.map(([name]) => [name, values[at++]]))
      contents.set(pass[index] as string, content as unknown as Content)
    }
  }
  return contents
}

function countsOf(column: string): Record<keyof Content, string> {
  const c = quoteIdentifier(column)
  const isText = `typeof(${c}) = 'text'`
  const isNumber = `typeof(${c}) IN ('integer', 'real')`
  return {
    integers: `total(typeof(${c}) = 'integer')`,
    reals: `total(typeof(${c}) = 'real')`,
    texts: `total(${isText})`,
    blobs: `total(typeof(${c}) = 'blob')`,
    lowest: `CAST(min(CASE WHEN typeof(${c}) = 'integer' THEN ${c} END) AS TEXT)`,
    highest: `CAST(max(CASE WHEN typeof(${c}) = 'integer' THEN ${c} END) AS TEXT)`,
    notBoolean: `total(${isNumber} AND ${c} NOT IN (0, 1))`,
    notDate: `total(${isText} AND (${c} NOT GLOB '[0-9][0-9][0-9][0-9]-[0-9][0-9]-[0-9][0-9]*' OR datetime(${c}) IS NULL))`,
    fineDates: `total(${isText} AND ${c} GLOB '*.[0-9][0-9][0-9][0-9]*')`,
    smallIntegers: `total(typeof(${c}) = 'integer' AND ${c} BETWEEN -99999999999 AND 99999999999)`,
    scale: `coalesce(max(CASE WHEN ${isNumber} AND instr(${c}, '.') > 0 AND CAST(${c} AS TEXT) NOT LIKE '%.0' THEN length(${c}) - instr(${c}, '.') END), 0)`,
    notWhole: `total(${isText} AND (trim(${c}) = '' OR ltrim(trim(${c}), '+-') GLOB '*[^0-9]*'))`,
    fractions: `total(${isNumber} AND ${c} <> CAST(${c} AS INTEGER))`,
  }
}

/**
 * Prisma's types for a column, the first that holds every value is to be taken: what its declaration says, where no value
 * speaks against it, and then what the values are. SQLite's affinity rules are those of its documentation, "Datatypes In
 * SQLite", section 3.1.
 */
export function candidateTypes(column: SourceColumn, content: Content): PulledType[] {
  const said = declaredTypes(column.declaredType.toUpperCase(), content)
  const all = [...said, ...typesOfContent(content)]
  return all.filter(
    ({ type, native }, at) => all.findIndex((one) => one.type === type && one.native === native) === at,
  )
}

const plain = (type: string): PulledType => ({ type, native: null })

function declaredTypes(declared: string, content: Content): PulledType[] {
  const numbersOnly = content.texts === 0 && content.blobs === 0
  if (/BOOL|^TINYINT\(1\)/.test(declared)) {
    return numbersOnly && content.notBoolean === 0 ? [plain('Boolean')] : []
  }
  if (/\b(SMALL)?(DATE(TIME\d?)?|TIMESTAMP(TZ)?)\b/.test(declared)) return dateTypes(declared, content)
  if (/JSON/.test(declared)) return [plain('Json'), { type: 'Json', native: '@db.Json' }]
  if (/UUID/.test(declared)) return content.texts > 0 || numbersOnly ? [] : [plain('String')]
  if (/INT/.test(declared)) {
    if (content.blobs > 0 || content.notWhole > 0 || content.fractions > 0) return []
    return /BIG|INT8/.test(declared) ? [plain('BigInt')] : [plain(wholeType(content)), plain('BigInt')]
  }
  if (/CHAR|CLOB|TEXT/.test(declared)) {
    return content.blobs > 0 && content.texts === 0 ? [plain('Bytes')] : [plain('String')]
  }
  if (/BLOB/.test(declared)) return isEmpty(content) || content.blobs > 0 ? [plain('Bytes')] : []
  if (/REAL|FLOA|DOUB/.test(declared)) return numbersOnly ? [plain('Float'), plain('Decimal')] : []
  if (/DEC|NUM|MONEY/.test(declared) && numbersOnly) {
    return [{ type: 'Decimal', native: decimalType(declared, content) }, plain('Decimal')]
  }
  return []
}

function dateTypes(declared: string, content: Content): PulledType[] {
  // As milliseconds small numbers are a moment of the early seventies: nobody meant that.
  if (content.notDate > 0 || content.blobs > 0 || content.fractions > 0 || content.smallIntegers > 0)
    return []
  const day: PulledType = { type: 'DateTime', native: '@db.Date' }
  const isDay = /^DATE$/.test(declared) && content.integers === 0 && content.texts > 0
  const fine: PulledType = { type: 'DateTime', native: '@db.Timestamptz(6)' }
  return [...(isDay ? [day] : []), ...(content.fineDates > 0 ? [fine] : [plain('DateTime'), fine])]
}

/** What the values are, where the declaration says nothing or something else. The last is what holds most. */
function typesOfContent(content: Content): PulledType[] {
  const { integers, reals, texts, blobs } = content
  if (isEmpty(content)) return [plain('String')]
  if (blobs > 0) {
    return integers + reals > 0 ? [plain('String'), plain('Bytes')] : [plain('Bytes')]
  }
  if (texts > 0) return [plain('String'), plain('Bytes')]
  if (reals > 0) return [plain('Float'), plain('Decimal'), plain('String')]
  return [plain(wholeType(content)), plain('BigInt'), plain('String')]
}

function isEmpty({ integers, reals, texts, blobs }: Content): boolean {
  return integers + reals + texts + blobs === 0
}

function wholeType({ lowest, highest }: Content): string {
  const fits = (value: string | null) =>
    value === null || (BigInt(value) >= -2147483648n && BigInt(value) <= 2147483647n)
  return fits(lowest) && fits(highest) ? 'Int' : 'BigInt'
}

function decimalType(declared: string, { scale, lowest, highest }: Content): string | null {
  const match = /\((\d+)\s*(?:,\s*(\d+))?\)/.exec(declared)
  if (!match) return null
  const [precision, digits] = [Number(match[1]), Number(match[2] ?? 0)]
  const widest = [lowest, highest].reduce(
    (most, value) => Math.max(most, (value ?? '').replace('-', '').length),
    0,
  )
  return scale <= digits && widest <= precision - digits && precision <= 1000 && digits <= precision
    ? `@db.Decimal(${precision}, ${digits})`
    : null
}
