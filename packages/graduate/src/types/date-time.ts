import { datetimeJulian, looksLikeJulianDay } from '../rules/datetime-julian.ts'
import { datetimeSeconds } from '../rules/datetime-seconds.ts'
import { datetimeTruncate } from '../rules/datetime-truncate.ts'
import { applyRule } from '../rules/rule.ts'
import {
  refused,
  type Encode,
  type EncodeContext,
  type EncodedColumn,
  type Refused,
  type Value,
} from './encode.ts'
import type { EncodeStored, StoredCell } from './stored-cell.ts'
import { argumentsOf, type SqlType, type ValueType } from './value-type.ts'

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

type Kind = 'timestamptz' | 'timestamp' | 'date' | 'time' | 'timetz'

/**
 * Whatever Prisma, SQLite's CURRENT_TIMESTAMP or the application wrote.
 * @param kind the target's type
 * @param precision digits of a second that the target keeps, 0 to 6
 */
function encoder(kind: Kind, precision: number, column: EncodedColumn): Encode {
  const unit = 10 ** (6 - precision)
  return (cell, writer, context) => {
    const isTimeOfDay = kind === 'time' || kind === 'timetz'
    const instant = instantOf(isTimeOfDay ? onFirstDay(cell) : cell, column, context)
    if ('reason' in instant) return instant
    let { ms, micros } = instant
    if (ms < earliestMs || ms > latestMs) return refused('is out of the range of PostgreSQL')
    if (isTimeOfDay && (ms < 0 || ms >= dayMs)) {
      if (applyRule(datetimeTruncate, { micros, beyond: 0 }, context) === undefined)
        return refused('has a date, but the target stores only the time of day', datetimeTruncate.name)
    }
    const dayMicros = (((ms % dayMs) + dayMs) % dayMs) * 1000 + micros
    const kept = kind === 'date' ? dayMs * 1000 : unit
    const beyond = dayMicros % kept
    if (beyond !== 0 || instant.finer) {
      const total = applyRule(datetimeTruncate, { micros, beyond }, context)
      if (total === undefined) {
        return refused(
          kind === 'date'
            ? 'has a time of day, but the target stores only the date'
            : `is more precise than the target stores (${precision} fractional digits)`,
          datetimeTruncate.name,
        )
      }
      ms += Math.floor(total / 1000)
      micros = ((total % 1000) + 1000) % 1000
    }
    switch (kind) {
      case 'date':
        writer.int32(4)
        writer.int32(Math.floor((ms - epoch2000) / dayMs))
        break
      case 'time':
      case 'timetz':
        writer.int32(kind === 'time' ? 8 : 12)
        writer.int64((((ms % dayMs) + dayMs) % dayMs) * 1000 + micros)
        if (kind === 'timetz') writer.int32(0)
        break
      case 'timestamp':
      case 'timestamptz':
        writer.int32(8)
        writeMicros(writer, ms - epoch2000, micros)
    }
    return undefined
  }
}

/** Milliseconds, in a column that keeps them, and the text that Prisma writes for them. */
function storedEncoder(precision: number): EncodeStored | undefined {
  if (precision < 3) return undefined
  return (cell, writer) => {
    const ms = storedMs(cell)
    if (ms === undefined || ms < earliestMs || ms > latestMs) return false
    const micros = (ms - epoch2000) * 1000
    if (!Number.isSafeInteger(micros)) return false
    writer.int32(8)
    writer.int64(micros)
    return true
  }
}

function storedMs({ storage, number, bytes, at, length }: StoredCell): number | undefined {
  if (storage === 'text') return usualMs(bytes, at, length)
  if (storage !== 'integer') return undefined
  const size = Math.abs(number)
  return size >= 1e8 && size <= 1e10 ? undefined : number // they may be seconds
}

/** A time of day alone, as SQLite's CURRENT_TIME gives it, is put on the day that Prisma puts it on. */
function onFirstDay(cell: Value): Value {
  return typeof cell === 'string' && /^\s*\d{2}:/.test(cell) ? `1970-01-01T${cell.trim()}` : cell
}

function writeMicros(writer: Parameters<Encode>[1], ms: number, micros: number): void {
  const exact = ms * 1000 + micros
  if (Number.isSafeInteger(exact)) writer.int64(exact)
  else writer.bigInt64(BigInt(ms) * 1000n + BigInt(micros))
}

function instantOf(cell: Value, column: EncodedColumn, context: EncodeContext): Instant | Refused {
  if (typeof cell === 'number') return fromNumber(cell, column, context)
  if (typeof cell === 'string') return fromText(cell)
  return refused(typeof cell === 'bigint' ? 'is out of the range of PostgreSQL' : 'is binary data')
}

function fromNumber(value: number, column: EncodedColumn, context: EncodeContext): Instant | Refused {
  const size = Math.abs(value)
  if (size >= 1e8 && size <= 1e10 && Number.isInteger(value) && column.looksLikeSeconds()) {
    const ms = applyRule(datetimeSeconds, value, context)
    return ms === undefined
      ? refused('looks like seconds; as milliseconds it would fall in early 1970', datetimeSeconds.name)
      : { ms, micros: 0, finer: false }
  }
  if (Number.isSafeInteger(value)) return { ms: value, micros: 0, finer: false }
  if (Number.isInteger(value)) return refused('is out of the range of PostgreSQL')
  const ms = applyRule(datetimeJulian, value, context)
  if (ms !== undefined) return { ms, micros: 0, finer: false }
  return looksLikeJulianDay(value)
    ? refused('is a fraction that may be a Julian day', datetimeJulian.name)
    : refused('is a number with a fraction')
}

function fromText(text: string): Instant | Refused {
  const usual = usualMsOf(text)
  if (usual !== undefined) return { ms: usual, micros: 0, finer: false }
  const match = iso.exec(text.trim())
  if (!match) return refused(text.trim() === '' ? 'is empty text' : 'is text that is not a date')
  const [, year, month, day, hour = '0', minute = '0', second = '0', fraction = '', zone = 'Z'] = match
  const date = new Date(0)
  date.setUTCFullYear(Number(year), Number(month) - 1, Number(day))
  if (date.getUTCMonth() !== Number(month) - 1 || date.getUTCDate() !== Number(day)) {
    return refused('is a day that does not exist')
  }
  if (Number(hour) > 23 || Number(minute) > 59 || Number(second) > 59)
    return refused('is a time that does not exist')
  const offset = zoneMinutes(zone)
  if (offset === undefined) return refused('has an offset that does not exist')
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
function usualMs(bytes: Uint8Array, at: number, length: number): number | undefined {
  if (length === 24 ? bytes[at + 23] !== 0x5a : length !== 29 || !isUtc(bytes, at + 23)) return undefined
  const separators =
    bytes[at + 4] === 0x2d &&
    bytes[at + 7] === 0x2d &&
    bytes[at + 10] === 0x54 &&
    bytes[at + 13] === 0x3a &&
    bytes[at + 16] === 0x3a &&
    bytes[at + 19] === 0x2e
  if (!separators) return undefined
  const year = digits(bytes, at, 4)
  const month = digits(bytes, at + 5, 2)
  const day = digits(bytes, at + 8, 2)
  const hour = digits(bytes, at + 11, 2)
  const minute = digits(bytes, at + 14, 2)
  const second = digits(bytes, at + 17, 2)
  // A day that every month has: anything else, and anything wrong, is read with care below.
  if (!(year >= 100 && month >= 1 && month <= 12 && day >= 1 && day <= 28)) return undefined
  if (!(hour <= 23 && minute <= 59 && second <= 59)) return undefined
  const ms = ((hour * 60 + minute) * 60 + second) * 1000 + digits(bytes, at + 20, 3)
  return Number.isNaN(ms) ? undefined : firstOfMonth(year, month) + (day - 1) * dayMs + ms
}

/** NaN where something else than digits stands. */
function digits(bytes: Uint8Array, at: number, count: number): number {
  let value = 0
  for (let next = at; next < at + count; next++) {
    const digit = (bytes[next] as number) - 48
    if (digit < 0 || digit > 9) return Number.NaN
    value = value * 10 + digit
  }
  return value
}

function isUtc(bytes: Uint8Array, at: number): boolean {
  const isSigned = bytes[at] === 0x2b && bytes[at + 3] === 0x3a
  return isSigned && digits(bytes, at + 1, 2) === 0 && digits(bytes, at + 4, 2) === 0
}

/** The month that was asked for last: dates of neighbouring rows are mostly of one. */
const lastMonth = { year: 0, month: 0, ms: 0 }

function firstOfMonth(year: number, month: number): number {
  if (lastMonth.year !== year || lastMonth.month !== month)
    Object.assign(lastMonth, { year, month, ms: Date.UTC(year, month - 1, 1) })
  return lastMonth.ms
}

const textBytes = Buffer.alloc(3 * 29)

function usualMsOf(text: string): number | undefined {
  if (text.length !== 24 && text.length !== 29) return undefined
  return usualMs(textBytes, 0, textBytes.write(text, 'utf8'))
}

function zoneMinutes(zone: string): number | undefined {
  if (/^z$/i.test(zone)) return 0
  const hours = Number(zone.slice(1, 3))
  const minutes = Number(zone.slice(3).replace(':', '') || 0)
  if (hours > 15 || minutes > 59) return undefined
  return (zone.startsWith('-') ? -1 : 1) * (hours * 60 + minutes)
}

/** The ISO text that Prisma 7 writes, with microseconds where there are any. */
function decodeMicros(micros: bigint): string {
  const ms = micros / 1000n - (micros % 1000n < 0n ? 1n : 0n)
  const rest = Number(micros - ms * 1000n)
  // Postgres knows years that no Date does.
  if (ms > maxMs || ms < -maxMs) return `${ms} ms since 1970`
  const text = new Date(Number(ms)).toISOString()
  return `${text.slice(0, -1)}${rest === 0 ? '' : String(rest).padStart(3, '0')}+00:00`
}

/** What a Date holds. */
const maxMs = 8_640_000_000_000_000n
const epochMicros = BigInt(epoch2000) * 1000n

/** A field of so many bits that counts from 2000; its ends are the infinities. */
function decodeSince2000(value: bigint, bits: number, unitMicros: bigint): string {
  if (value === 2n ** BigInt(bits - 1) - 1n) return 'infinity'
  if (value === -(2n ** BigInt(bits - 1))) return '-infinity'
  return decodeMicros(value * unitMicros + epochMicros)
}

const moment = (kind: 'timestamptz' | 'timestamp'): SqlType => ({
  kind: 'moment',
  encoder: (column) => encoder(kind, precisionOf(column), column),
  storedEncoder: (column) => storedEncoder(precisionOf(column)),
  decode: (field) => decodeSince2000(field.readBigInt64BE(), 64, 1n),
  wider: 'timestamptz',
})

function precisionOf({ target: { modifier } }: EncodedColumn): number {
  return modifier < 0 ? 6 : modifier
}

export const dateTimeType: ValueType = {
  prisma: 'DateTime',
  column: (native) => {
    const [precision = 3] = argumentsOf(native)
    return native === '@db.Date' ? ['date', -1] : ['timestamptz', precision]
  },
  sql: {
    timestamptz: moment('timestamptz'),
    timestamp: moment('timestamp'),
    date: {
      kind: 'moment',
      encoder: (column) => encoder('date', 0, column),
      decode: (field) => decodeSince2000(BigInt(field.readInt32BE()), 32, BigInt(dayMs) * 1000n),
      wider: 'timestamptz',
    },
    time: {
      kind: 'other',
      encoder: (column) => encoder('time', precisionOf(column), column),
      decode: (field) => decodeMicros(field.readBigInt64BE()),
      wider: 'time',
    },
    timetz: {
      kind: 'other',
      encoder: (column) => encoder('timetz', precisionOf(column), column),
      // Behind the time of day comes its zone, in seconds to the west.
      decode: (field) => decodeMicros(field.readBigInt64BE() + BigInt(field.readInt32BE(8)) * 1_000_000n),
      wider: 'timetz',
    },
  },
}
