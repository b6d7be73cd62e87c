import { parentPort, workerData } from 'node:worker_threads'
import { messageOf } from '@outgrow/kit'
import { readCopy } from './read-copy.ts'
import type { ReadReply } from './read-in-thread.ts'

// Reads a file from end to end, which would keep the thread of everybody else for as long as that takes.
const reply = (message: ReadReply) => parentPort?.postMessage(message)
try {
  const { path } = workerData as { path: string }
  reply({ kind: 'done', contents: readCopy(path, (bytes) => reply({ kind: 'progress', bytes })) })
} catch (error) {
  reply({ kind: 'failed', message: messageOf(error), code: (error as { code?: string }).code })
}
