import { bad, type Bad, type Cast, type Cell, type ColumnType, type Encode } from './codec.ts'

/** Milliseconds from 1970 to 2000, where PostgreSQL's clock starts. */
const epoch2000 = 946684800000
const dayMs = 86400000
/** PostgreSQL's timestamps end here (294276-12-31), and start here (4713-01-01 BC). */
const latestMs = 9224318015999998
const earliestMs = -210866803200000

const iso =
  /^([+-]\d{6}|\d{4})-(\d{2})-(\d{2})(?:[T ](\d{2}):(\d{2})(?::(\d{2})(?:\.(\d{1,9}))?)?\s*(Z|[+-]\d{2}(?::?\d{2})?)?)?$/i

/** An instant: whole milliseconds since 1970 and the microseconds below. */
interface Instant {
  ms: number
  micros: number
  /** Digits finer than a microsecond were there. */
  finer: boolean
}

type Kind = 'timestamptz' | 'timestamp' | 'date' | 'time'

/**
 * Prisma `DateTime`, whatever Prisma, SQLite's CURRENT_TIMESTAMP or the application wrote.
 * @param kind the target's type
 * @param precision digits of a second that the target keeps, 0 to 6
 */
export function encodeDateTime(kind: Kind, precision: number, column: ColumnType): Encode {
  const unit = 10 ** (6 - precision)
  return (cell, writer, cast) => {
    const instant = instantOf(kind === 'time' ? onFirstDay(cell) : cell, column, cast)
    if ('reason' in instant) return instant
    let { ms, micros } = instant
    if (ms < earliestMs || ms > latestMs) return bad('is out of the range of PostgreSQL')
    if (kind === 'time' && (ms < 0 || ms >= dayMs)) {
      if (!cast.rules.has('datetime-truncate')) {
        return bad('has a date, and the target keeps only the time of day', 'datetime-truncate')
      }
      cast.fixed('datetime-truncate')
    }
    const dayMicros = (((ms % dayMs) + dayMs) % dayMs) * 1000 + micros
    const kept = kind === 'date' ? dayMs * 1000 : unit
    const beyond = dayMicros % kept
    if (beyond !== 0 || instant.finer) {
      if (!cast.rules.has('datetime-truncate')) {
        return bad(
          kind === 'date'
            ? 'has a time of day, and the target keeps only the date'
            : `is finer than the target keeps (${precision} digits of a second)`,
          'datetime-truncate',
        )
      }
      cast.fixed('datetime-truncate')
      const total = micros - beyond
      ms += Math.floor(total / 1000)
      micros = ((total % 1000) + 1000) % 1000
    }
    switch (kind) {
      case 'date':
        writer.int32(4)
        writer.int32(Math.floor((ms - epoch2000) / dayMs))
        break
      case 'time':
        writer.int32(8)
        writer.int64((((ms % dayMs) + dayMs) % dayMs) * 1000 + micros)
        break
      case 'timestamp':
      case 'timestamptz':
        writer.int32(8)
        writeMicros(writer, ms - epoch2000, micros)
    }
    return undefined
  }
}

/** A time of day alone, as SQLite's CURRENT_TIME gives it, is put on the day that Prisma puts it on. */
function onFirstDay(cell: Exclude<Cell, null>): Exclude<Cell, null> {
  return typeof cell === 'string' && /^\s*\d{2}:/.test(cell) ? `1970-01-01T${cell.trim()}` : cell
}

function writeMicros(writer: Parameters<Encode>[1], ms: number, micros: number): void {
  const exact = ms * 1000 + micros
  if (Number.isSafeInteger(exact)) writer.int64(exact)
  else writer.bigInt64(BigInt(ms) * 1000n + BigInt(micros))
}

function instantOf(cell: Exclude<Cell, null>, column: ColumnType, cast: Cast): Instant | Bad {
  if (typeof cell === 'number') return fromNumber(cell, column, cast)
  if (typeof cell === 'string') return fromText(cell)
  return bad(typeof cell === 'bigint' ? 'is out of the range of PostgreSQL' : 'is binary data')
}

function fromNumber(value: number, column: ColumnType, cast: Cast): Instant | Bad {
  const size = Math.abs(value)
  if (size >= 1e8 && size <= 1e10 && Number.isInteger(value) && column.looksLikeSeconds()) {
    if (!cast.rules.has('datetime-seconds')) {
      return bad('looks like seconds; as milliseconds it would fall in early 1970', 'datetime-seconds')
    }
    cast.fixed('datetime-seconds')
    return { ms: value * 1000, micros: 0, finer: false }
  }
  if (Number.isSafeInteger(value)) return { ms: value, micros: 0, finer: false }
  if (Number.isInteger(value)) return bad('is out of the range of PostgreSQL')
  if (cast.rules.has('datetime-julian') && value > 0 && value < 5373484.5) {
    cast.fixed('datetime-julian')
    return { ms: Math.round((value - 2440587.5) * dayMs), micros: 0, finer: false }
  }
  return value > 1721425 && value < 5373484.5
    ? bad('is a fraction that may be a Julian day', 'datetime-julian')
    : bad('is a number with a fraction')
}

function fromText(text: string): Instant | Bad {
  const usual = usualMs(text)
  if (usual !== undefined) return { ms: usual, micros: 0, finer: false }
  const match = iso.exec(text.trim())
  if (!match) return bad(text.trim() === '' ? 'is empty text' : 'is text that is no date')
  const [, year, month, day, hour = '0', minute = '0', second = '0', fraction = '', zone = 'Z'] = match
  const date = new Date(0)
  date.setUTCFullYear(Number(year), Number(month) - 1, Number(day))
  if (date.getUTCMonth() !== Number(month) - 1 || date.getUTCDate() !== Number(day)) {
    return bad('is a day that does not exist')
  }
  if (Number(hour) > 23 || Number(minute) > 59 || Number(second) > 59)
    return bad('is a time that does not exist')
  const offset = zoneMinutes(zone)
  if (offset === undefined) return bad('has an offset that does not exist')
  const digits = fraction.padEnd(9, '0')
  return {
    ms:
      date.getTime() +
      Number(hour) * 3600000 +
      (Number(minute) - offset) * 60000 +
      Number(second) * 1000 +
      Number(digits.slice(0, 3)),
    micros: Number(digits.slice(3, 6)),
    finer: digits.slice(6) !== '000',
  }
}

/** Milliseconds of `2026-01-31T10:20:30.123+00:00` or `…Z`, as Prisma writes it; undefined for any other text. */
function usualMs(text: string): number | undefined {
  if (text.length !== 24 && text.length !== 29) return undefined
  if (!(text.length === 24 ? text.endsWith('Z') : text.endsWith('+00:00'))) return undefined
  const digits = (from: number, to: number): number => {
    let value = 0
    for (let at = from; at < to; at++) {
      const digit = text.charCodeAt(at) - 48
      if (digit < 0 || digit > 9) return Number.NaN
      value = value * 10 + digit
    }
    return value
  }
  const separators = text.charCodeAt(4) === 0x2d && text.charCodeAt(7) === 0x2d && text[10] === 'T'
  if (!separators || text[13] !== ':' || text[16] !== ':' || text[19] !== '.') return undefined
  const [year, month, day] = [digits(0, 4), digits(5, 7), digits(8, 10)]
  const [hour, minute, second] = [digits(11, 13), digits(14, 16), digits(17, 19)]
  // A day that every month has: anything else, and anything wrong, is read with care below.
  if (!(year >= 100 && month >= 1 && month <= 12 && day >= 1 && day <= 28)) return undefined
  if (!(hour <= 23 && minute <= 59 && second <= 59)) return undefined
  const ms = Date.UTC(year, month - 1, day, hour, minute, second, digits(20, 23))
  return Number.isNaN(ms) ? undefined : ms
}

function zoneMinutes(zone: string): number | undefined {
  if (/^z$/i.test(zone)) return 0
  const hours = Number(zone.slice(1, 3))
  const minutes = Number(zone.slice(3).replace(':', '') || 0)
  if (hours > 15 || minutes > 59) return undefined
  return (zone.startsWith('-') ? -1 : 1) * (hours * 60 + minutes)
}
