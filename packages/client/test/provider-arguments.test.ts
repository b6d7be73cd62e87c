import { expect, test } from 'vitest'
import { containsText, jsonAt } from '../src/index.ts'
import { writtenFor } from '../src/provider-arguments.ts'

test('filters are written again wherever they stand, and what was spread beside them stays', () => {
  const sqlite = { provider: 'sqlite' } as const
  const at = new Date()
  const args = {
    where: {
      OR: [
        { name: { ...containsText(sqlite, 'a'), not: 'b' } },
        { stack: jsonAt(sqlite, ['x'], { equals: 1 }) },
      ],
      at,
    },
  }
  const there = writtenFor('postgres', args) as typeof args
  expect(structuredClone(there)).toEqual({
    where: {
      OR: [{ name: { contains: 'a', mode: 'insensitive', not: 'b' } }, { stack: { path: ['x'], equals: 1 } }],
      at,
    },
  })
  expect(there.where.at).toBe(at)
  expect(structuredClone(writtenFor('sqlite', args))).toEqual(structuredClone(args))
})

test('arguments without such filters are left as they are', () => {
  const args = { data: [{ name: 'a', at: new Date(), bytes: new Uint8Array(2) }], where: undefined }
  expect(writtenFor('postgres', args)).toBe(args)
  expect(writtenFor('postgres', undefined)).toBeUndefined()
})
