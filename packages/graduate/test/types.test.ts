import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { TargetColumn } from '../src/model/table.ts'
import { BinaryWriter } from '../src/types/binary-writer.ts'
import type { EncodeContext, Value } from '../src/types/encode.ts'
import { decodeField, encoderFor } from '../src/types/value-types.ts'

const context: EncodeContext = {
  rules: new Set(),
  fixed: () => {},
  readExactly: () => ({ storage: 'text', value: null, bytes: null }),
  readJsonb: () => null,
}

function columnOf(type: string, more: Partial<TargetColumn> = {}): TargetColumn {
  return {
    name: 'c',
    type,
    typeOid: 0,
    sqlType: type,
    modifier: -1,
    element: undefined,
    enumValues: undefined,
    notNull: true,
    generated: false,
    hasDefault: false,
    sequence: undefined,
    ...more,
  }
}

/** The bytes of a value, without the length in front. */
function encoded(target: TargetColumn, value: Value): Buffer {
  const writer = new BinaryWriter()
  const refusal = encoderFor({ target, looksLikeSeconds: () => false })?.(value, writer, context)
  expect(refusal).toBeUndefined()
  return Buffer.from(writer.buffer.subarray(4, writer.at))
}

const listOf = (type: string, oid: number) => columnOf(`_${type}`, { element: { type, oid } })

test('a field that only Postgres could have written is read out too', () => {
  const micros = (value: bigint) => {
    const field = Buffer.alloc(8)
    field.writeBigInt64BE(value)
    return decodeField(columnOf('timestamptz'), field)
  }
  const days = (value: number) => {
    const field = Buffer.alloc(4)
    field.writeInt32BE(value)
    return decodeField(columnOf('date'), field)
  }
  expect([micros(2n ** 63n - 1n), micros(-(2n ** 63n))]).toEqual(['infinity', '-infinity'])
  expect([days(2 ** 31 - 1), days(-(2 ** 31))]).toEqual(['infinity', '-infinity'])
  // The year 294,276, and one that a Date still holds.
  expect(micros(9_223_371_331_199_999_999n)).toMatch(/^\d+ ms since 1970$/)
  expect(micros(0n)).toBe('2000-01-01T00:00:00.000+00:00')
})

describe('what Prisma would store is read out of a field', () => {
  test.each<[name: string, target: TargetColumn, stored: Value, canonical: Value]>([
    ['a boolean', columnOf('bool'), 1, 1],
    ['a small integer', columnOf('int2'), -7, -7],
    ['an integer of 64 bits', columnOf('int8'), 2n ** 62n, 2n ** 62n],
    ['a real', columnOf('float4'), 0.1, 0.1],
    ['a decimal', columnOf('numeric'), '-0012.5000', '-12.5000'],
    ['a small decimal', columnOf('numeric'), '0.00012', '0.00012'],
    ['a decimal of a fixed scale', columnOf('numeric', { modifier: ((10 << 16) | 2) + 4 }), 7, '7.00'],
    ['a text', columnOf('text'), 'Grüße', 'Grüße'],
    [
      'a uuid',
      columnOf('uuid'),
      '0b5a0b5a-0000-4000-8000-00000000beef',
      '0b5a0b5a-0000-4000-8000-00000000beef',
    ],
    ['an enum’s value', columnOf('colour', { enumValues: ['red'] }), 'red', 'red'],
    ['milliseconds', columnOf('timestamptz'), 1704103200123, '2024-01-01T10:00:00.123+00:00'],
    [
      'microseconds before 1970',
      columnOf('timestamptz'),
      '1969-12-31T23:59:59.999999Z',
      '1969-12-31T23:59:59.999999+00:00',
    ],
    ['a date', columnOf('date'), '2024-02-29', '2024-02-29T00:00:00.000+00:00'],
    ['a time of day', columnOf('time'), '10:20:30.5', '1970-01-01T10:20:30.500+00:00'],
    ['a document', columnOf('jsonb'), '{"b":1,"a":[true]}', '{"a": [true], "b": 1}'],
    ['bytes', columnOf('bytea'), Buffer.from([0, 255]), Buffer.from([0, 255])],
    ['a list of texts', listOf('text', 25), '["a", null]', '["a", null]'],
    ['a list of booleans', listOf('bool', 16), '[true, false]', '[true, false]'],
    ['a list of documents', listOf('jsonb', 3802), '[{"a": 1}]', '[{"a": 1}]'],
    ['an empty list', listOf('int4', 23), '[]', '[]'],
  ])('%s', (_, target, stored, canonical) => {
    expect(decodeField(target, encoded(target, stored))).toEqual(canonical)
  })

  test.each<[type: string, values: fc.Arbitrary<Value>]>([
    ['int4', fc.integer()],
    ['int8', fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n })],
    ['float8', fc.double({ noNaN: true })],
    ['numeric', fc.tuple(fc.bigInt(), fc.nat(40)).map(([digits, scale]) => `${digits}e-${scale}`)],
    ['timestamptz', fc.integer({ min: -62135596800000, max: 253402300799999 })],
    ['date', fc.integer({ min: -700000, max: 2000000 }).map((day) => day * 86400000)],
    // Whether U+FFFD was read as it is would be asked of the database, which is none here.
    ['text', fc.string({ unit: 'grapheme' }).filter((text) => !/[\0\uFFFD]/.test(text))],
    ['json', fc.json()],
    ['bytea', fc.uint8Array().map((bytes) => Buffer.from(bytes))],
  ])('and comes to the same bytes again: %s', (type, values) => {
    const target = columnOf(type)
    fc.assert(
      fc.property(values, (value) => {
        const field = encoded(target, value)
        expect(encoded(target, decodeField(target, field) as Value)).toEqual(field)
      }),
    )
  })
})
