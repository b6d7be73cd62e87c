import { Readable, type Transform } from 'node:stream'
import { pipeline } from 'node:stream/promises'

/** Bytes as a stream of Node turns them into others, at the pace of whoever reads. */
export async function* through(body: AsyncIterable<Uint8Array>, transform: Transform): AsyncIterable<Buffer> {
  const source = Readable.from(body)
  const piped = pipeline(source, transform)
  piped.catch(() => {}) // it destroys the transform with the error, which is thrown where that is read
  try {
    for await (const bytes of transform) yield bytes as Buffer
    await piped
  } finally {
    source.destroy()
    transform.destroy()
  }
}
