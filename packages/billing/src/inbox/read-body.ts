/**
 * The raw bytes of a request; undefined when there are more than `mostBytes`, whatever its headers say.
 * The rest of a body that is too long is not read.
 */
export async function readBody(request: Request, maxBytes: number): Promise<Uint8Array | undefined> {
  const stated = Number(request.headers.get('content-length') ?? 0)
  if (stated > maxBytes) return undefined
  if (request.body === null) return new Uint8Array()
  const reader = request.body.getReader()
  const chunks: Uint8Array[] = []
  let bytes = 0
  for (let read = await reader.read(); !read.done; read = await reader.read()) {
    bytes += read.value.length
    if (bytes > maxBytes) {
      await reader.cancel()
      return undefined
    }
    chunks.push(read.value)
  }
  return Buffer.concat(chunks)
}
