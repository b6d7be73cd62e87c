/** What pg_dump and a server send each other: as much of the frontend/backend protocol as is needed to pass it on. */

/** Cuts a stream of bytes into messages: a type byte, and a length that counts itself. */
export class MessageReader {
  #rest: Buffer = Buffer.alloc(0)

  /** The types of the messages that these bytes complete. */
  add(bytes: Uint8Array): string[] {
    this.#rest = this.#rest.length === 0 ? Buffer.from(bytes) : Buffer.concat([this.#rest, bytes])
    const types: string[] = []
    let at = 0
    while (at + 5 <= this.#rest.length) {
      const end = at + 1 + this.#rest.readInt32BE(at + 1)
      if (end > this.#rest.length) break
      types.push(String.fromCharCode(this.#rest[at] as number))
      at = end
    }
    this.#rest = this.#rest.subarray(at)
    return types
  }
}

/** A Query or a Sync: the server answers all that came before, and says when it is done. */
export const wantsAnswer = (type: string): boolean => type === 'Q' || type === 'S'
/** It would end the connection. */
export const isGoodbye = (type: string): boolean => type === 'X'
export const isReady = (type: string): boolean => type === 'Z'

const sslRequest = 80877103
const gssRequest = 80877104

/** What a client asks before it is connected; undefined for the start-up itself, which names its user. */
export function answerToStartup(request: Buffer, serverParameters: Record<string, string>): Buffer {
  const code = request.readInt32BE(4)
  // The connection is secure already, or as insecure as its URL wants it.
  if (code === sslRequest || code === gssRequest) return Buffer.from('N')
  return Buffer.concat([
    message('R', int32(0)),
    ...Object.entries(serverParameters).map(([name, value]) =>
      message('S', Buffer.from(`${name}\0${value}\0`)),
    ),
    message('K', Buffer.concat([int32(0), int32(0)])),
    message('Z', Buffer.from('I')),
  ])
}

function message(type: string, body: Buffer): Buffer {
  return Buffer.concat([Buffer.from(type), int32(4 + body.length), body])
}

function int32(value: number): Buffer {
  const bytes = Buffer.alloc(4)
  bytes.writeInt32BE(value)
  return bytes
}
