/**
 * The raw bytes of a request; undefined when there are more than `mostBytes`, whatever its headers say.
 * The rest of a body that is too long is not read.
 */
export async function readBody(request: Request, maxBytes: number): Promise<Uint8Array | undefined> {
  const stated = Number(request.headers.get('content-length') ?? 0)
  if (stated > maxBytes) return undefined
  const chunks: Uint8Array[] = []
  let bytes = 0
  if (request.body === null) return new Uint8Array()
  for await (const chunk of request.body as unknown as AsyncIterable<Uint8Array>) {
    bytes += chunk.length
    if (bytes > maxBytes) return undefined
    chunks.push(chunk)
  }
  return Buffer.concat(chunks)
}
