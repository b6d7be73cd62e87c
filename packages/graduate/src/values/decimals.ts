import type { BinaryWriter } from '../copy/binary-writer.ts'
import { bad, type Bad, type Cast, type Cell, type Encode } from './codec.ts'

/** A decimal number as PostgreSQL stores it: base-10000 digits around the decimal point. */
interface Numeric {
  negative: boolean
  /** Decimal digits before and behind the point, without leading zeros before it. */
  whole: string
  fraction: string
}

/**
 * Prisma `Decimal` as `numeric`: the shortest decimal text that reads back as the stored double.
 * @param precision total digits, undefined when unbounded
 * @param scale digits behind the point
 */
export function encodeDecimal(precision: number | undefined, scale: number | undefined): Encode {
  return (cell, writer, cast) => {
    const text = decimalText(cell, cast)
    if (typeof text === 'object') return text
    const number = parse(text)
    if (number === undefined) return bad(text.trim() === '' ? 'is empty text' : 'is text that is no number')
    if (scale !== undefined && precision !== undefined) {
      if (number.fraction.replace(/0+$/, '').length > scale) {
        return bad(
          `has more than ${scale} digits behind the point`,
          'give the field a larger @db.Decimal scale',
        )
      }
      if (number.whole.length > precision - scale) {
        return bad(
          `has more than ${precision - scale} digits before the point`,
          'give the field a larger @db.Decimal precision',
        )
      }
    }
    if (number.whole.length > mostWhole || number.fraction.length > mostFraction)
      return bad('is out of the range of PostgreSQL’s numeric')
    writeNumeric(writer, number, scale ?? number.fraction.length)
    return undefined
  }
}

/** Digits that `numeric` keeps before and behind the point. Source: PostgreSQL's documentation, "Numeric Types". */
const mostWhole = 131072
const mostFraction = 16383

/** Whether two decimal texts are one number, whatever their zeros and exponents; undefined when one is no number. */
export function isSameDecimal(a: string, b: string): boolean | undefined {
  const [x, y] = [parse(a), parse(b)]
  if (x === undefined || y === undefined) return x === undefined ? undefined : false
  const [fractionX, fractionY] = [x.fraction.replace(/0+$/, ''), y.fraction.replace(/0+$/, '')]
  const isZero = x.whole === '' && fractionX === ''
  return x.whole === y.whole && fractionX === fractionY && (isZero || x.negative === y.negative)
}

function decimalText(cell: Exclude<Cell, null>, cast: Cast): string | Bad {
  if (typeof cell === 'number') {
    if (!Number.isFinite(cell)) return bad('is infinite')
    if (Number.isInteger(cell) && !Number.isSafeInteger(cell)) {
      const exact = cast.readExactly()
      return exact.storage === 'integer' ? String(exact.value) : String(cell)
    }
    return String(cell)
  }
  if (typeof cell === 'bigint') return String(cell)
  if (typeof cell === 'string') return cell.trim()
  return bad('is binary data')
}

/** Reads plain or scientific notation without rounding. */
function parse(text: string): Numeric | undefined {
  const match = /^([+-]?)(\d*)(?:\.(\d*))?(?:e([+-]?\d{1,4}))?$/i.exec(text)
  if (!match || ((match[2] ?? '') === '' && (match[3] ?? '') === '')) return undefined
  let whole = match[2] ?? ''
  let fraction = match[3] ?? ''
  const exponent = Number(match[4] ?? 0)
  if (exponent > 0) {
    const moved = fraction.slice(0, exponent).padEnd(exponent, '0')
    whole += moved
    fraction = fraction.slice(exponent)
  } else if (exponent < 0) {
    const padded = whole.padStart(-exponent, '0')
    fraction = padded.slice(padded.length + exponent) + fraction
    whole = padded.slice(0, padded.length + exponent)
  }
  return { negative: match[1] === '-', whole: whole.replace(/^0+/, ''), fraction }
}

/** `numeric_send`: count, weight, sign, display scale, then base-10000 digits without zeros at either end. */
function writeNumeric(writer: BinaryWriter, { negative, whole, fraction }: Numeric, scale: number): void {
  const left = whole.padStart(Math.ceil(whole.length / 4) * 4, '0')
  const digits =
    left + fraction.slice(0, scale).padEnd(Math.ceil(Math.min(fraction.length, scale) / 4) * 4, '0')
  const groups: number[] = []
  for (let at = 0; at < digits.length; at += 4) groups.push(Number(digits.slice(at, at + 4)))
  let weight = left.length / 4 - 1
  let first = 0
  let last = groups.length
  while (first < last && groups[first] === 0) {
    first++
    weight--
  }
  while (last > first && groups[last - 1] === 0) last--
  const isZero = first === last
  writer.int32(8 + (last - first) * 2)
  writer.int16(last - first)
  writer.int16(isZero ? 0 : weight)
  writer.int16(negative && !isZero ? 0x4000 : 0)
  writer.int16(scale)
  for (let at = first; at < last; at++) writer.int16(groups[at] as number)
}
