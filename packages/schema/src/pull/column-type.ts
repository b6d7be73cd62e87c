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
  /** Texts with digits below a millisecond. */
  fineDates: number
  /** Values that are no JSON. */
  notJson: number
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

/** Looks at every value of a column once. */
export function readContent(database: SqliteDatabase, table: string, column: string): Content {
  const c = quoteIdentifier(column)
  const isText = `typeof(${c}) = 'text'`
  const isNumber = `typeof(${c}) IN ('integer', 'real')`
  return database
    .prepare(
      `SELECT total(typeof(${c}) = 'integer') AS integers, total(typeof(${c}) = 'real') AS reals,
        total(${isText}) AS texts, total(typeof(${c}) = 'blob') AS blobs,
        CAST(min(CASE WHEN typeof(${c}) = 'integer' THEN ${c} END) AS TEXT) AS lowest,
        CAST(max(CASE WHEN typeof(${c}) = 'integer' THEN ${c} END) AS TEXT) AS highest,
        total(${isNumber} AND ${c} NOT IN (0, 1)) AS notBoolean,
        total(${isText} AND (${c} NOT GLOB '[0-9][0-9][0-9][0-9]-[0-9][0-9]-[0-9][0-9]*' OR datetime(${c}) IS NULL)) AS notDate,
        total(${isText} AND ${c} GLOB '*.[0-9][0-9][0-9][0-9]*') AS fineDates,
        total(${c} IS NOT NULL AND NOT json_valid(${c}, 9)) AS notJson,
        coalesce(max(CASE WHEN ${isNumber} AND instr(${c}, '.') > 0 AND CAST(${c} AS TEXT) NOT LIKE '%.0' THEN length(${c}) - instr(${c}, '.') END), 0) AS scale,
        total(${isText} AND (trim(${c}) = '' OR ltrim(trim(${c}), '+-') GLOB '*[^0-9]*')) AS notWhole,
        total(${isNumber} AND ${c} <> CAST(${c} AS INTEGER)) AS fractions
       FROM ${quoteIdentifier(table)}`,
    )
    .get() as Content
}

/**
 * Prisma's type for a column: what its declaration says where every value agrees, else what the values are.
 * SQLite's affinity rules are those of its documentation, "Datatypes In SQLite", section 3.1.
 */
export function pulledType(column: SourceColumn, content: Content): PulledType {
  const declared = column.declaredType.toUpperCase()
  const total = content.integers + content.reals + content.texts + content.blobs
  const numbersOnly = content.texts === 0 && content.blobs === 0
  const plain = (type: string): PulledType => ({ type, native: null })

  if (/BOOL|^TINYINT\(1\)/.test(declared) && numbersOnly && content.notBoolean === 0) return plain('Boolean')
  if (
    /DATE|TIMESTAMP/.test(declared) &&
    content.notDate === 0 &&
    content.blobs === 0 &&
    content.fractions === 0
  ) {
    if (!(content.texts === 0 && looksLikeSeconds(content))) {
      return { type: 'DateTime', native: content.fineDates > 0 ? '@db.Timestamptz(6)' : null }
    }
  }
  if (/JSON/.test(declared) && content.notJson === 0) return plain('Json')
  if (/UUID/.test(declared) && numbersOnly && total > 0) return plain(wholeType(content))
  if (/UUID/.test(declared)) return plain('String')
  if (/INT/.test(declared)) {
    if (content.blobs === 0 && content.notWhole === 0 && content.fractions === 0) {
      return plain(/BIG|INT8/.test(declared) ? 'BigInt' : wholeType(content))
    }
  } else if (/CHAR|CLOB|TEXT/.test(declared)) {
    return plain(content.blobs > 0 && content.texts === 0 ? 'Bytes' : 'String')
  } else if (/BLOB/.test(declared)) {
    return plain(total === 0 || content.blobs > 0 ? 'Bytes' : byContent(content))
  } else if (/REAL|FLOA|DOUB/.test(declared) && numbersOnly) {
    return plain('Float')
  } else if (/DEC|NUM|MONEY/.test(declared) && numbersOnly) {
    return { type: 'Decimal', native: decimalType(declared, content) }
  }
  return plain(byContent(content))
}

/** What the values are, where the declaration says nothing or something else. */
function byContent(content: Content): string {
  const { integers, reals, texts, blobs } = content
  if (blobs > 0) return 'Bytes'
  if (texts > 0) return 'String'
  if (reals > 0) return 'Float'
  return integers > 0 ? wholeType(content) : 'String'
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

function looksLikeSeconds({ integers, lowest, highest }: Content): boolean {
  if (integers === 0 || lowest === null || highest === null) return false
  return BigInt(lowest) >= 100_000_000n && BigInt(highest) <= 10_000_000_000n
}
