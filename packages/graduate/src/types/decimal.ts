import type { BinaryWriter } from './binary-writer.ts'
import {
  refused,
  type Encode,
  type EncodedColumn,
  type EncodeContext,
  type Refused,
  type Value,
} from './encode.ts'
import type { EncodeStored } from './stored-cell.ts'
import { argumentsOf, type ValueType } from './value-type.ts'

/** A decimal number as PostgreSQL stores it: base-10000 digits around the decimal point. */
interface Numeric {
  negative: boolean
  /** Decimal digits before and behind the point, without leading zeros before it. */
  whole: string
  fraction: string
}

/** As `numeric`: the shortest decimal text that reads back as the stored double. */
function encoder({ target }: EncodedColumn): Encode {
  const [precision, scale] = precisionOf(target.modifier)
  return (cell, writer, context) => {
    const text = decimalText(cell, context)
    if (typeof text === 'object') return text
    const number = parse(text)
    if (number === undefined)
      return refused(text.trim() === '' ? 'is empty text' : 'is text that is not a number')
    if (scale !== undefined && precision !== undefined) {
      if (number.fraction.replace(/0+$/, '').length > scale) {
        return refused(
          `has more than ${scale} digits after the decimal point`,
          'give the field a larger @db.Decimal scale',
        )
      }
      if (number.whole.length > precision - scale) {
        return refused(
          `has more than ${precision - scale} digits before the decimal point`,
          'give the field a larger @db.Decimal precision',
        )
      }
    }
    if (number.whole.length > maxWhole || number.fraction.length > maxFraction)
      return refused('is out of the range of PostgreSQL’s numeric')
    writeNumeric(writer, number, scale ?? number.fraction.length)
    return undefined
  }
}

/** Base-10000 digits of a number, the most significant first. */
const groups = new Int32Array(8)

/** Numbers of so few digits that doubles count them exactly; the same as `encoder` writes. */
function storedEncoder({ target }: EncodedColumn): EncodeStored {
  const [precision, scale] = precisionOf(target.modifier)
  return ({ storage, number }, writer) => {
    if (storage !== 'integer' && storage !== 'real') return false
    const size = Math.abs(number)
    if (!(size === 0 || (size >= 1e-6 && size < 1e15))) return false // beyond, its text has an exponent
    const text = String(size)
    const point = text.indexOf('.')
    const fractionDigits = point < 0 ? 0 : text.length - point - 1
    const wholeDigits = size < 1 ? 0 : text.length - (point < 0 ? 0 : fractionDigits + 1)
    if (fractionDigits > 12) return false
    if (scale !== undefined && (fractionDigits > scale || wholeDigits > (precision ?? 0) - scale))
      return false
    let fraction = fractionDigits === 0 ? 0 : Number(text.slice(point + 1))
    const [wholeGroups, fractionGroups] = [Math.ceil(wholeDigits / 4), Math.ceil(fractionDigits / 4)]
    fraction *= 10 ** (4 * fractionGroups - fractionDigits)
    let count = wholeGroups + fractionGroups
    for (let at = count - 1; at >= wholeGroups; at--) {
      groups[at] = fraction % 10000
      fraction = Math.floor(fraction / 10000)
    }
    let whole = Math.floor(size)
    for (let at = wholeGroups - 1; at >= 0; at--) {
      groups[at] = whole % 10000
      whole = Math.floor(whole / 10000)
    }
    let first = 0
    while (first < count && groups[first] === 0) first++
    while (count > first && groups[count - 1] === 0) count--
    const isZero = first === count
    writer.int32(8 + (count - first) * 2)
    writer.int16(count - first)
    writer.int16(isZero ? 0 : wholeGroups - 1 - first)
    writer.int16(number < 0 && !isZero ? 0x4000 : 0)
    writer.int16(scale ?? fractionDigits)
    for (let at = first; at < count; at++) writer.int16(groups[at] as number)
    return true
  }
}

/** Digits that `numeric` keeps before and behind the point. Source: PostgreSQL's documentation, "Numeric Types". */
const maxWhole = 131072
const maxFraction = 16383

/** Whether two decimal texts are one number, whatever their zeros and exponents; undefined when one is no number. */
export function isSameDecimal(a: string, b: string): boolean | undefined {
  const [x, y] = [parse(a), parse(b)]
  if (x === undefined || y === undefined) return x === undefined ? undefined : false
  const [fractionX, fractionY] = [x.fraction.replace(/0+$/, ''), y.fraction.replace(/0+$/, '')]
  const isZero = x.whole === '' && fractionX === ''
  return x.whole === y.whole && fractionX === fractionY && (isZero || x.negative === y.negative)
}

function decimalText(cell: Value, context: EncodeContext): string | Refused {
  if (typeof cell === 'number') {
    if (!Number.isFinite(cell)) return refused('is infinite')
    if (Number.isInteger(cell) && !Number.isSafeInteger(cell)) {
      const exact = context.readExactly()
      return exact.storage === 'integer' ? String(exact.value) : String(cell)
    }
    return String(cell)
  }
  if (typeof cell === 'bigint') return String(cell)
  if (typeof cell === 'string') return cell.trim()
  return refused('is binary data')
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

/** Total digits and those behind the point, both undefined when unbounded: `numeric(p, s)` keeps them in one modifier. */
function precisionOf(modifier: number): [precision: number | undefined, scale: number | undefined] {
  if (modifier < 4) return [undefined, undefined]
  return [(modifier - 4) >> 16, (modifier - 4) & 0x7ff]
}

/** By their sign word. */
const specialValues: Record<number, string> = { 0xc000: 'NaN', 0xd000: 'Infinity', 0xf000: '-Infinity' }

/** The decimal text of `numeric_send`, with as many digits behind the point as its scale says. */
function decode(field: Buffer): string {
  const [count, weight, sign, scale] = [0, 2, 4, 6].map((at) => field.readInt16BE(at)) as [
    number,
    number,
    number,
    number,
  ]
  const special = specialValues[sign & 0xffff]
  if (special !== undefined) return special
  const group = (place: number) => {
    const at = weight - place
    return at >= 0 && at < count ? String(field.readInt16BE(8 + at * 2)).padStart(4, '0') : '0000'
  }
  let whole = ''
  for (let place = Math.max(weight, 0); place >= 0; place--) whole += group(place)
  let fraction = ''
  for (let place = -1; fraction.length < scale; place--) fraction += group(place)
  const digits = whole.replace(/^0+(?=\d)/, '')
  return `${sign === 0x4000 ? '-' : ''}${digits}${scale === 0 ? '' : `.${fraction.slice(0, scale)}`}`
}

export const decimalType: ValueType = {
  prisma: 'Decimal',
  column: (native) => {
    const [precision = 65, scale = 30] = argumentsOf(native)
    return ['numeric', ((precision << 16) | scale) + 4]
  },
  sql: {
    numeric: { kind: 'float', encoder, storedEncoder, decode, wider: 'numeric' }, // SQLite computes with doubles
    money: { kind: 'other', wider: 'numeric' },
  },
}
