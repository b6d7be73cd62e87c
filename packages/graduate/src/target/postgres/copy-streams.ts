import { once } from 'node:events'
import { getDefaultHighWaterMark } from 'node:stream'
import type { PostgresClient } from '@outgrow/databases'
import { copyIn, copyOut } from '@outgrow/databases'
import { copyHeader, copyTrailer } from '../../types/binary-writer.ts'
import { RowCutter } from './row-cutter.ts'

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
  const cutter = new RowCutter(onRow)
  for await (const piece of copyOut(client, copySql) as AsyncIterable<Buffer>) {
    cutter.add(piece)
    onPiece()
  }
}
