import { once } from 'node:events'
import { getDefaultHighWaterMark } from 'node:stream'
import type { PostgresClient } from '@outgrow/databases'
import { copyIn, copyOut } from '@outgrow/databases'
import { copyHeader, copyTrailer } from '../../types/binary-writer.ts'
import { freeMemory } from '../../types/buffer-pool.ts'

const socketBufferBytes = getDefaultHighWaterMark(false)

/** Sends buffers of binary COPY rows to a table. Returns the bytes sent. A buffer is given back once it was sent. */
export async function sendRows(
  client: PostgresClient,
  copySql: string,
  buffers: Iterable<Buffer> | AsyncIterable<Buffer>,
  giveBack?: (buffer: Buffer) => void,
): Promise<number> {
  const stream = copyIn(client, copySql)
  const finished = once(stream, 'finish')
  // A refusal by the server arrives while rows are still being sent: it ends the loop below.
  let failure: unknown
  stream.on('error', (error) => {
    failure = error
  })
  finished.catch(() => {})
  let bytes = 0
  // A small write may wait in the socket though it is taken at once: such a buffer is free when the server has it.
  const waiting: Buffer[] = []
  stream.write(copyHeader)
  try {
    for await (const buffer of buffers) {
      // What was refused meanwhile has no connection to write to any more.
      if (failure !== undefined) throw failure
      bytes += buffer.length
      const isTaken = stream.write(buffer)
      if (!isTaken) await Promise.race([once(stream, 'drain'), finished])
      if (isTaken && buffer.length < socketBufferBytes) waiting.push(buffer)
      else giveBack?.(buffer)
    }
    if (failure !== undefined) throw failure
  } catch (error) {
    // After a refusal by the server the stream has let go of its connection already.
    if (failure === undefined) stream.destroy(error as Error)
    throw failure ?? error
  }
  stream.end(copyTrailer)
  await finished
  for (const buffer of waiting) giveBack?.(buffer)
  return bytes
}

/**
 * Hands each row of a binary COPY out to `onRow`: its bytes from the field count to the last field. They are the row's
 * only until `onRow` returns.
 */
export async function receiveRows(
  client: PostgresClient,
  copySql: string,
  onRow: (row: Buffer) => void,
  onPiece: () => void = () => {},
): Promise<void> {
  // One buffer for all pieces: a new one for each would leave memory in pieces too.
  let buffer = Buffer.allocUnsafeSlow(256 * 1024)
  let length = 0
  let started = false
  for await (const piece of copyOut(client, copySql) as AsyncIterable<Buffer>) {
    if (length + piece.length > buffer.length) {
      const larger = Buffer.allocUnsafeSlow(2 * (length + piece.length))
      buffer.copy(larger, 0, 0, length)
      freeMemory(buffer.buffer)
      buffer = larger
    }
    length += piece.copy(buffer, length)
    if (!started && length < copyHeader.length) continue
    const at = eachRow(buffer.subarray(0, length), started ? 0 : copyHeader.length, onRow)
    started = true
    buffer.copyWithin(0, at, length)
    length -= at
    onPiece()
  }
}

/** Calls `onRow` for each whole row and returns where the first incomplete one starts. */
function eachRow(data: Buffer, from: number, onRow: (row: Buffer) => void): number {
  const end = data.length
  let start = from
  for (;;) {
    if (start + 2 > end) return start
    const fields = ((data[start] as number) << 8) | (data[start + 1] as number)
    if (fields === 0xffff) return end
    let at = start + 2
    for (let field = 0; field < fields; field++) {
      if (at + 4 > end) return start
      const length =
        ((data[at] as number) << 24) |
        ((data[at + 1] as number) << 16) |
        ((data[at + 2] as number) << 8) |
        (data[at + 3] as number)
      at += length < 0 ? 4 : 4 + length
    }
    if (at > end) return start
    onRow(data.subarray(start, at))
    start = at
  }
}
