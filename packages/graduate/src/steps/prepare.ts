import { fork } from 'node:child_process'
import { once } from 'node:events'
import { Failure, type FailureDetails } from '@outgrow/kit'
import type { SchemaSource } from '@outgrow/schema'
import type { PreparedSchema } from '../model/prepared-schema.ts'
import type { Step } from './step.ts'

export const prepare: Step<PreparedSchema> = {
  name: 'prepare',
  title: 'Render the schema for both databases',
  run: async ({ request }) => ({ value: await prepareSchema(request.schema, request.target.schema) }),
}

/** `renderSchema` in a process of its own: what the engines take is given back with it, which a thread's memory is not. */
async function prepareSchema(source: SchemaSource, home: string): Promise<PreparedSchema> {
  const child = fork(new URL(import.meta.resolve('@outgrow/graduate/prepare-process')), {
    serialization: 'advanced',
    stdio: ['ignore', 2, 2, 'ipc'], // stdout may be one JSON document, and nothing else
  })
  const ended = once(child, 'exit').then(([code]) => {
    throw new Error(`preparing the schema ended with ${String(code)}`)
  })
  ended.catch(() => {}) // of interest only while an answer is awaited
  child.send({ source, home })
  const [answer] = (await Promise.race([once(child, 'message'), ended])) as [
    { value: PreparedSchema } | { failure: FailureDetails },
  ]
  child.disconnect()
  if ('failure' in answer) throw new Failure(answer.failure)
  return answer.value
}
