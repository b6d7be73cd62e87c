import { z } from 'zod'
import { Failure } from '@outgrow/kit'
import type { Protection } from './backup-key.ts'
import { damaged, refuseOtherKey, unknownVersion } from './header.ts'
import { seal, unseal } from './seal.ts'

/** A small document of which a part can be read without the key, and none changed. */
const envelope = z.object({
  format: z.literal('outgrow-backup'),
  version: z.number(),
  header: z.looseObject({ keyId: z.string().nullable() }),
  // The last letter of base64 has bits that say nothing, in which a change would not be seen.
  sealed: z.base64().refine((text) => Buffer.from(text, 'base64').toString('base64') === text),
})

type Envelope = z.infer<typeof envelope>

/** The bytes of a document: its header in the clear, its body sealed together with the header. */
export async function sealDocument(
  key: string,
  header: { keyId: string | null; [more: string]: unknown },
  body: object,
  protection: Protection,
): Promise<Buffer> {
  const sealed = await collect(seal(bytesOf(JSON.stringify(body)), contextOf(key, header), protection))
  const document = { format: 'outgrow-backup', version: 1, header, sealed: sealed.toString('base64') }
  return Buffer.from(`${JSON.stringify(document, null, 2)}\n`)
}

/**
 * What a document says without its key. It may have been changed: the seal was not looked at.
 * @throws Failure OUTGROW_BACKUP_DAMAGED, OUTGROW_BACKUP_VERSION
 */
export function readDocumentHeader<Header>(key: string, bytes: Buffer, schema: z.ZodType<Header>): Header {
  const header = schema.safeParse(readEnvelope(key, bytes).header)
  if (header.success) return header.data
  throw unknownVersion(key)
}

/**
 * The whole document, header and body.
 * @throws Failure OUTGROW_BACKUP_DAMAGED, OUTGROW_BACKUP_VERSION, OUTGROW_BACKUP_KEY_WRONG, OUTGROW_BACKUP_UNENCRYPTED
 */
export async function openDocument<Document>(
  key: string,
  bytes: Buffer,
  schema: z.ZodType<Document>,
  protection: Protection,
): Promise<Document> {
  const { header, sealed } = readEnvelope(key, bytes)
  refuseOtherKey(key, header.keyId, protection)
  const context = contextOf(key, header)
  const body = await collect(unseal(bytesOf(Buffer.from(sealed, 'base64')), context, protection)).catch(
    (error: unknown) => {
      if (!(error instanceof Failure)) throw error
      throw damaged(key, 'its header or its body is not what was written')
    },
  )
  const document = schema.safeParse({ ...(JSON.parse(body.toString()) as object), ...header })
  if (document.success) return document.data
  throw unknownVersion(key)
}

/** All bytes of something small. */
export async function collect(body: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const pieces: Uint8Array[] = []
  for await (const piece of body) pieces.push(piece)
  return Buffer.concat(pieces)
}

export async function* bytesOf(text: string | Uint8Array): AsyncIterable<Uint8Array> {
  yield typeof text === 'string' ? Buffer.from(text) : text
}

function readEnvelope(key: string, bytes: Buffer): Envelope {
  let document: unknown
  try {
    document = JSON.parse(bytes.toString())
  } catch {
    throw damaged(key, 'it is not JSON')
  }
  const parsed = envelope.safeParse(document)
  if (!parsed.success) throw damaged(key, 'it is not a document of a backup')
  if (parsed.data.version !== 1) throw unknownVersion(key)
  // As it was written: parsing may put its keys in another order.
  return { ...parsed.data, header: (document as Envelope).header }
}

/** JSON keeps the order of keys, so that what was parsed is written as it was. */
function contextOf(key: string, header: object): string {
  return `${key}\n${JSON.stringify(header)}`
}
