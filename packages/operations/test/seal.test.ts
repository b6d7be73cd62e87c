import { randomBytes } from 'node:crypto'
import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { z } from 'zod'
import { backupKey, keyIdOf, readBackupKey, type Protection } from '../src/backup/seal/backup-key.ts'
import { seal, unseal } from '../src/backup/seal/seal.ts'
import { bytesOf, collect, openDocument, sealDocument } from '../src/backup/seal/sealed-document.ts'
import { failureOf, flipped, inPieces } from './bytes.ts'

const runs = Number(process.env.OUTGROW_PROPERTY_RUNS ?? 30)
const seed = Number(process.env.OUTGROW_SEED ?? Date.now() % 1_000_000)
const key = backupKey(randomBytes(32))
const protections: [string, Protection][] = [
  ['encrypted', key],
  ['unencrypted', 'unencrypted'],
]
const name = '20261126T171500Z-9f3a61c0/database.sqlite'
const chunk = 65_536

const sealed = (bytes: Uint8Array, protection: Protection, context = name) =>
  collect(seal(bytesOf(bytes), context, protection))
const opened = (bytes: Uint8Array, protection: Protection, context = name, piece = 10_000) =>
  collect(unseal(inPieces(bytes, piece), context, protection))

test.each(protections)(`what is sealed %s opens to the same bytes (seed ${seed})`, async (_, protection) => {
  const size = fc.oneof(
    fc.integer({ min: 0, max: 300 }),
    fc.integer({ min: -2, max: 2 }).map((more) => 3 * chunk + more),
    fc.integer({ min: 0, max: 400_000 }),
  )
  await fc.assert(
    fc.asyncProperty(
      size,
      fc.integer({ min: 700, max: 200_000 }),
      fc.boolean(),
      async (bytes, piece, isRandom) => {
        const plain = isRandom ? randomBytes(bytes) : Buffer.alloc(bytes, 'again and again ')
        const object = await collect(seal(inPieces(plain, piece), name, protection))
        expect((await opened(object, protection, name, piece)).equals(plain)).toBe(true)
      },
    ),
    { numRuns: runs, seed },
  )
})

test.each(protections)(
  'a bit that is turned anywhere in an object sealed %s is found',
  async (_, protection) => {
    const object = await sealed(randomBytes(200), protection)
    for (let at = 0; at < object.length; at++) {
      const failure = await failureOf(() => opened(flipped(object, at, at % 8), protection))
      expect(failure, `byte ${at}`).toMatchObject({ code: 'OUTGROW_BACKUP_DAMAGED' })
      expect(failure?.message).toContain(name)
    }
  },
)

test.each(protections)(
  'an object sealed %s that is cut off, extended or put together anew is found',
  async (_, protection) => {
    const object = await sealed(randomBytes(3 * chunk), protection)
    const [head, stored] = [54, chunk + 16]
    const chunks = Array.from({ length: 4 }, (_, at) =>
      object.subarray(head + at * stored, head + (at + 1) * stored),
    )
    const [a, b, c, last] = chunks as [Buffer, Buffer, Buffer, Buffer]
    expect(last.length).toBeGreaterThan(16)
    const header = object.subarray(0, head)
    expect(Buffer.concat([header, a, b, c, last]).equals(object)).toBe(true)
    const other = await sealed(randomBytes(3 * chunk), protection)
    const wrong: Record<string, Buffer[]> = {
      nothing: [],
      'half a header': [object.subarray(0, 30)],
      'a header': [header],
      'cut between chunks': [header, a, b, c],
      'cut after the first': [header, a],
      'cut within a chunk': [header, a, b.subarray(0, 100)],
      'cut within a tag': [object.subarray(0, -1)],
      'the last one alone': [header, last],
      'one left out': [header, a, c, last],
      'two exchanged': [header, b, a, c, last],
      'one twice': [header, a, a, b, c, last],
      'more after the last': [object, Buffer.from('more')],
      'a whole object after it': [object, object],
      'a chunk of another': [header, other.subarray(head, head + stored), b, c, last],
      'a header of another': [other.subarray(0, head), a, b, c, last],
    }
    for (const [what, pieces] of Object.entries(wrong)) {
      const failure = await failureOf(() => opened(Buffer.concat(pieces), protection))
      expect([what, failure?.code]).toEqual([what, 'OUTGROW_BACKUP_DAMAGED'])
    }
  },
)

test.each(protections)('an object sealed %s does not open in the place of another', async (_, protection) => {
  const object = await sealed(randomBytes(100), protection)
  const failure = await failureOf(() =>
    opened(object, protection, '20261127T171500Z-9f3a61c0/database.sqlite'),
  )
  expect(failure).toMatchObject({ code: 'OUTGROW_BACKUP_DAMAGED' })
})

test('another key is named as such, and so is an object that should have one', async () => {
  const object = await sealed(randomBytes(100), key)
  const other = backupKey(randomBytes(32))
  const wrong = await failureOf(() => opened(object, other))
  expect(wrong).toMatchObject({ code: 'OUTGROW_BACKUP_KEY_WRONG' })
  expect(wrong?.message).toContain(key.id)
  expect(wrong?.message).toContain(other.id)
  expect(await failureOf(() => opened(object, 'unencrypted'))).toMatchObject({
    code: 'OUTGROW_BACKUP_KEY_WRONG',
  })
  const open = await sealed(randomBytes(100), 'unencrypted')
  expect(await failureOf(() => opened(open, key))).toMatchObject({ code: 'OUTGROW_BACKUP_UNENCRYPTED' })
})

test('the same bytes are sealed differently each time', async () => {
  const bytes = randomBytes(1000)
  const [one, other] = [await sealed(bytes, key), await sealed(bytes, key)]
  expect(one.subarray(18).equals(other.subarray(18))).toBe(false)
})

test('what fails to be read fails to be sealed, and with its own error', async () => {
  const object = await sealed(randomBytes(200_000), key)
  const failing = async function* () {
    yield object.subarray(0, 150_000)
    await Promise.resolve()
    throw new Error('the disk is gone')
  }
  await expect(collect(seal(failing(), name, key))).rejects.toThrow('the disk is gone')
  await expect(collect(unseal(failing(), name, key))).rejects.toThrow('the disk is gone')
})

test.each(protections)(
  'a document sealed %s is found changed, in what can be read of it, too',
  async (_, protection) => {
    const schema = z.object({ id: z.string(), secret: z.string(), keyId: z.string().nullable() })
    const header = { id: 'one', keyId: keyIdOf(protection) }
    const document = await sealDocument(name, header, { secret: 'posts' }, protection)
    expect(await openDocument(name, document, schema, protection)).toEqual({ ...header, secret: 'posts' })
    expect(document.toString().includes('posts')).toBe(false)
    for (let at = 0; at < document.length; at++) {
      const other = flipped(document, at, at % 8)
      const failure = await failureOf(() => openDocument(name, other, schema, protection))
      const isFound = failure?.code?.startsWith('OUTGROW_BACKUP_') ?? false
      expect([at, isFound]).toEqual([at, !isSameJson(document, other)])
    }
  },
)

/** Space between the words of JSON says nothing. */
function isSameJson(one: Buffer, other: Buffer): boolean {
  try {
    return JSON.stringify(JSON.parse(one.toString())) === JSON.stringify(JSON.parse(other.toString()))
  } catch {
    return false
  }
}

test('a key is 32 random bytes in hex or base64', () => {
  const bytes = randomBytes(32)
  const texts = [
    bytes.toString('hex'),
    bytes.toString('hex').toUpperCase(),
    bytes.toString('base64'),
    bytes.toString('base64url'),
  ]
  const ids = texts.map((text) => readBackupKey({ OUTGROW_BACKUP_KEY: ` ${text}\n` }).id)
  expect(new Set(ids)).toEqual(new Set([backupKey(bytes).id]))
})

test.each([
  ['', 'OUTGROW_BACKUP_KEY_MISSING'],
  ['hunter2', 'OUTGROW_BACKUP_KEY_INVALID'],
  ['0123456789abcdef0123456789abcdef', 'OUTGROW_BACKUP_KEY_INVALID'],
  ['0'.repeat(64), 'OUTGROW_BACKUP_KEY_INVALID'],
  ['0123456789abcdef'.repeat(4), 'OUTGROW_BACKUP_KEY_INVALID'],
  [Buffer.from('correct horse battery staple 123').toString('base64'), 'OUTGROW_BACKUP_KEY_INVALID'],
  [Buffer.from('correct horse battery staple 123').toString('hex'), 'OUTGROW_BACKUP_KEY_INVALID'],
  [randomBytes(33).toString('hex'), 'OUTGROW_BACKUP_KEY_INVALID'],
])('the key %j is refused, and not repeated', async (text, code) => {
  const failure = await failureOf(async () => readBackupKey({ OUTGROW_BACKUP_KEY: text }))
  expect(failure?.code).toBe(code)
  expect(text !== '' && `${JSON.stringify(failure)}${failure?.message}`.includes(text)).toBe(false)
})
