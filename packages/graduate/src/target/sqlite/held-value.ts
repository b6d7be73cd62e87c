import { openSqliteInMemory, type SqliteDatabase } from '@outgrow/databases'
import type { PlannedColumn } from '../../model/plan.ts'
import { BinaryWriter } from '../../types/binary-writer.ts'
import {
  refused,
  type Cell,
  type Encode,
  type EncodeContext,
  type Refused,
  type Storage,
  type Value,
} from '../../types/encode.ts'
import { encodeText } from '../../types/string.ts'
import { encoderFor } from '../../types/value-types.ts'

/** What SQLite does to a value by the declared type of its column. Source: "Datatypes In SQLite", section 3.1. */
type Affinity = 'TEXT' | 'NUMERIC' | 'INTEGER' | 'REAL' | 'BLOB'

/**
 * What a column of a new file makes of values: each that could come back as another is read again, as a move would read it,
 * and compared.
 */
export class HeldValues {
  readonly #scratch: SqliteDatabase
  readonly #ask: Record<Affinity, (value: unknown) => Held>
  readonly #writer = new BinaryWriter()

  constructor() {
    this.#scratch = openSqliteInMemory()
    this.#scratch.exec(
      'CREATE TABLE held (TEXT TEXT, NUMERIC NUMERIC, INTEGER INTEGER, REAL REAL, BLOB BLOB)',
    )
    this.#scratch.exec('INSERT INTO held DEFAULT VALUES')
    const ask = (affinity: Affinity) => {
      const write = this.#scratch.prepare(`UPDATE held SET ${affinity} = ?`)
      const read = this.#scratch
        .prepare(`SELECT typeof(${affinity}), ${affinity} FROM held`)
        .raw()
        .safeIntegers(true)
      return (value: unknown): Held => {
        write.run(value)
        const [storage, found] = read.get() as [Storage, Cell]
        return { storage, value: found }
      }
    }
    this.#ask = {
      TEXT: ask('TEXT'),
      NUMERIC: ask('NUMERIC'),
      INTEGER: ask('INTEGER'),
      REAL: ask('REAL'),
      BLOB: ask('BLOB'),
    }
  }

  close(): void {
    this.#scratch.close()
  }

  /**
   * Says of a value why it would come back as another; undefined where it would not. Undefined for a column in which every
   * value does.
   * @param column in the type in which it is read
   */
  check(column: PlannedColumn, declaredType: string): Check | undefined {
    const { target } = column
    const affinity = affinityOf(declaredType)
    if (isExact(column, affinity)) return undefined
    if (/^float[48]$/.test(target.type) && /REAL|NUMERIC|BLOB/.test(affinity) && target.element === undefined)
      return floatProblem
    const encode = encoderFor({ target, looksLikeSeconds: () => false }) ?? encodeText
    return (field, value) => {
      const held = this.#held(value, affinity)
      const refusal = this.#encoded(encode, held, field)
      return refusal === undefined ? undefined : refused(problemOf(column, value, refusal))
    }
  }

  #held(value: unknown, affinity: Affinity): Held {
    const isItself = typeof value === 'string' && (affinity === 'TEXT' || !looksLikeNumber.test(value))
    return isItself ? { storage: 'text', value } : this.#ask[affinity](value)
  }

  /** Why what is held does not become the field that it was made of, undefined where it does. */
  #encoded(encode: Encode, held: Held, field: Buffer): Refused | undefined {
    if (held.value === null) return changed
    const writer = this.#writer
    writer.at = 0
    const refusal = encode(cellOf(held.value), writer, new HeldContext(held))
    if (refusal) return refusal
    const isSame = writer.at === field.length + 4 && field.equals(writer.buffer.subarray(4, writer.at))
    return isSame ? undefined : changed
  }
}

/** @param field the bytes that came from the server */
export type Check = (field: Buffer, value: unknown) => Refused | undefined

interface Held {
  storage: Storage
  value: Cell
}

const changed = refused('is another value')
/** What SQLite may take for a number, and white space around it. */
const looksLikeNumber = /^[\t-\r ]*[+-]?(\d|\.\d)[\d.]*(e[+-]?\d+)?[\t-\r ]*$/i

const whole = /^(int[248]|oid|bool)$/
const textual = /^(text|varchar|bpchar|citext|name|uuid)$/

function affinityOf(declaredType: string): Affinity {
  if (/INT/i.test(declaredType)) return 'INTEGER'
  if (/CHAR|CLOB|TEXT/i.test(declaredType)) return 'TEXT'
  if (declaredType === '' || /BLOB/i.test(declaredType)) return 'BLOB'
  return /REAL|FLOA|DOUB/i.test(declaredType) ? 'REAL' : 'NUMERIC'
}

/** Whether a file gives every value of the column back. */
function isExact({ target }: PlannedColumn, affinity: Affinity): boolean {
  const { type, element, enumValues } = target
  if (element !== undefined) return false
  if (type === 'bytea') return true
  if (whole.test(type)) return /INTEGER|NUMERIC|BLOB/.test(affinity)
  return (textual.test(type) || enumValues !== undefined) && /TEXT|BLOB/.test(affinity)
}

/** SQLite takes NaN for NULL, and stores no sign of a zero. */
const floatProblem: Check = (_, value) => {
  if (Number.isNaN(value)) return refused('is NaN, which SQLite stores as NULL')
  return Object.is(value, -0) ? refused('is -0, which SQLite stores as 0') : undefined
}

/** One sentence, the same for all values with this problem. */
function problemOf({ target }: PlannedColumn, value: unknown, { reason }: Refused): string {
  const { type, element } = target
  if (element !== undefined) return 'is an array that JSON does not hold as it is'
  if (typeof value === 'string' && /^(-?infinity|nan)$/i.test(value))
    return `is ${value}, which SQLite cannot store`
  if (/^(timestamp|date)/.test(type)) return 'is a year that a Date does not hold'
  if (type === 'numeric') return 'has more digits than SQLite keeps of a number'
  if (type === 'json' || type === 'jsonb') return 'is a JSON number that SQLite would write in another way'
  if (type === 'time') return 'is 24:00, which is no time of a day'
  if (type === 'timetz') return 'is a time of day in another zone than UTC, or 24:00'
  return `would be stored by SQLite as something that ${reason}`
}

/** As the driver gives it to an encoder. */
function cellOf(value: Value): Value {
  return typeof value === 'bigint' && Number.isSafeInteger(Number(value)) ? Number(value) : value
}

class HeldContext implements EncodeContext {
  readonly rules: ReadonlySet<string> = new Set()
  readonly #held: Held

  constructor(held: Held) {
    this.#held = held
  }

  readExactly(): ReturnType<EncodeContext['readExactly']> {
    const { storage, value } = this.#held
    return { ...this.#held, bytes: storage === 'blob' ? (value as Buffer) : Buffer.from(String(value)) }
  }

  readJsonb(): string | null {
    return null
  }

  fixed(): void {}
}
