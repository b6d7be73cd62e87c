import { parentPort, workerData, type MessagePort } from 'node:worker_threads'
import { Failure } from '@outgrow/kit'
import type { SchemaSource } from '@outgrow/schema'
import { prepareHere } from './prepare.ts'

const port = parentPort as MessagePort
const { source, home } = workerData as { source: SchemaSource; home: string }
try {
  port.postMessage({ value: await prepareHere(source, home) })
} catch (error) {
  if (!(error instanceof Failure)) throw error
  const { code, message, why, fix } = error
  port.postMessage({ failure: { code, message, why, fix } })
}
