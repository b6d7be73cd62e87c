import { createCipheriv, createDecipheriv, createHash, timingSafeEqual } from 'node:crypto'
import { createZstdCompress, createZstdDecompress } from 'node:zlib'
import type { Protection } from './backup-key.ts'
import { inChunks } from './chunks.ts'
import { damaged, headerBytes, newHeader, readHeader } from './header.ts'
import { through } from './through.ts'

const chunkBytes = 64 * 1024
const tagBytes = 16
/** What the compressor gives out at a time. */
const chunkSize = 256 * 1024

/**
 * Compresses and encrypts an object. `context` is what it must be opened as: its key in the storage. Chunks of AES-256-GCM with a
 * key of the object's own; a chunk's nonce is its number and whether it is the last, so that none can be left out, moved or added
 * (the STREAM construction, https://eprint.iacr.org/2015/189). Without encryption the tags are plain checksums.
 */
export async function* seal(
  body: AsyncIterable<Uint8Array>,
  context: string,
  protection: Protection,
): AsyncIterable<Buffer> {
  const header = newHeader(protection)
  const cipher = chunkCipher(header, header.subarray(18, 50), context, protection)
  yield header
  let at = 0
  for await (const { bytes, isLast } of inChunks(
    through(body, createZstdCompress({ chunkSize })),
    chunkBytes,
  )) {
    yield cipher.seal(bytes, nonceOf(at++, isLast))
  }
}

/**
 * The bytes that were sealed. None is given before its chunk was found unchanged; the object as a whole is only when they have ended.
 * @throws Failure OUTGROW_BACKUP_DAMAGED, OUTGROW_BACKUP_VERSION, OUTGROW_BACKUP_KEY_WRONG, OUTGROW_BACKUP_UNENCRYPTED
 */
export function unseal(
  body: AsyncIterable<Uint8Array>,
  context: string,
  protection: Protection,
): AsyncIterable<Buffer> {
  return through(decrypt(body, context, protection), createZstdDecompress({ chunkSize }))
}

async function* decrypt(
  body: AsyncIterable<Uint8Array>,
  context: string,
  protection: Protection,
): AsyncIterable<Buffer> {
  const { header, rest } = await splitHeader(body)
  const salt = readHeader(header, context, protection)
  const cipher = chunkCipher(header, salt, context, protection)
  let at = 0
  for await (const { bytes, isLast } of inChunks(rest, chunkBytes + tagBytes)) {
    const plain = bytes.length < tagBytes ? undefined : cipher.open(bytes, nonceOf(at, isLast))
    if (plain === undefined) throw damaged(context, `its chunk ${at + 1} is not what was written`)
    at++
    yield plain
  }
}

async function splitHeader(
  body: AsyncIterable<Uint8Array>,
): Promise<{ header: Buffer; rest: AsyncIterable<Uint8Array> }> {
  const pieces = body[Symbol.asyncIterator]()
  let read = Buffer.alloc(0)
  while (read.length < headerBytes) {
    const { done, value } = await pieces.next()
    if (done) break
    read = Buffer.concat([read, value])
  }
  return {
    header: read.subarray(0, headerBytes),
    rest: (async function* () {
      try {
        yield read.subarray(headerBytes)
        yield* { [Symbol.asyncIterator]: () => pieces }
      } finally {
        await pieces.return?.()
      }
    })(),
  }
}

interface ChunkCipher {
  seal: (plain: Buffer, nonce: Buffer) => Buffer
  /** Undefined when the chunk is not what was sealed. */
  open: (sealed: Buffer, nonce: Buffer) => Buffer | undefined
}

function chunkCipher(header: Buffer, salt: Buffer, context: string, protection: Protection): ChunkCipher {
  if (protection === 'unencrypted') return checksummed(header, context)
  const key = protection.derive(salt, context)
  return {
    seal: (plain, nonce) => {
      const cipher = createCipheriv('aes-256-gcm', key, nonce).setAAD(header)
      return Buffer.concat([cipher.update(plain), cipher.final(), cipher.getAuthTag()])
    },
    open: (sealed, nonce) => {
      const decipher = createDecipheriv('aes-256-gcm', key, nonce, { authTagLength: tagBytes }).setAAD(header)
      decipher.setAuthTag(sealed.subarray(-tagBytes))
      try {
        return Buffer.concat([decipher.update(sealed.subarray(0, -tagBytes)), decipher.final()])
      } catch {
        return undefined
      }
    },
  }
}

function checksummed(header: Buffer, context: string): ChunkCipher {
  const tagOf = (plain: Buffer, nonce: Buffer) =>
    createHash('sha256')
      .update(header)
      .update(`${context}\0`)
      .update(nonce)
      .update(plain)
      .digest()
      .subarray(0, tagBytes)
  return {
    seal: (plain, nonce) => Buffer.concat([plain, tagOf(plain, nonce)]),
    open: (sealed, nonce) => {
      const plain = sealed.subarray(0, -tagBytes)
      return timingSafeEqual(tagOf(plain, nonce), sealed.subarray(-tagBytes)) ? plain : undefined
    },
  }
}

/** The key is the object's own, so a number is enough: 7 zeros, the chunk's number, whether it is the last. */
function nonceOf(chunk: number, isLast: boolean): Buffer {
  const nonce = Buffer.alloc(12)
  nonce.writeUInt32BE(chunk, 7)
  nonce[11] = isLast ? 1 : 0
  return nonce
}
