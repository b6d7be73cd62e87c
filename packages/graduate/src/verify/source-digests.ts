import { Worker } from 'node:worker_threads'
import type { Digest } from '../copy/digest.ts'
import type { MoveOptions } from '../options.ts'
import type { PlannedTable } from '../plan.ts'

export interface SourceDigest {
  digest: Digest
  rowsRead: number
}

/** Reads the source side in a thread of its own, so that both sides are read at the same time. */
export function sourceDigests(
  path: string,
  tables: PlannedTable[],
  options: MoveOptions,
  signal: AbortSignal,
): Promise<Map<string, SourceDigest>> {
  const digests = new Map<string, SourceDigest>()
  const worker = new Worker(new URL('./source-digest-worker.ts', import.meta.url), {
    workerData: { path, tables, options },
  })
  const stop = () => void worker.terminate()
  signal.addEventListener('abort', stop)
  return new Promise((resolve, reject) => {
    worker.on('message', ({ table, ...digest }: SourceDigest & { table: string }) =>
      digests.set(table, digest),
    )
    worker.once('error', reject)
    worker.once('exit', () => {
      signal.removeEventListener('abort', stop)
      if (signal.aborted) reject(signal.reason as Error)
      else resolve(digests)
    })
  })
}
