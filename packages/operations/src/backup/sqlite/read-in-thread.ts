import { on } from 'node:events'
import { Worker } from 'node:worker_threads'
import type { CopyContents } from './read-copy.ts'

export type ReadReply =
  | { kind: 'progress'; bytes: number }
  | { kind: 'done'; contents: CopyContents }
  | { kind: 'failed'; message: string; code: string | undefined }

/** What a file holds that nobody else uses, read by a thread of its own. */
export async function readInThread(
  path: string,
  signal: AbortSignal,
  onBytes: (bytes: number) => void,
): Promise<CopyContents> {
  const worker = new Worker(new URL(import.meta.resolve('@outgrow/operations/read-worker')), {
    workerData: { path },
    // What rows leave behind is short-lived: more room for it would be memory for nothing.
    resourceLimits: { maxYoungGenerationSizeMb: 8 },
  })
  try {
    for await (const [reply] of on(worker, 'message', { signal, close: ['exit'] }) as AsyncIterable<
      [ReadReply]
    >) {
      switch (reply.kind) {
        case 'progress':
          onBytes(reply.bytes)
          break
        case 'done':
          return reply.contents
        case 'failed':
          throw Object.assign(new Error(reply.message), { name: 'SqliteError', code: reply.code })
      }
    }
    throw new Error('the reading thread has ended')
  } finally {
    await worker.terminate()
  }
}
