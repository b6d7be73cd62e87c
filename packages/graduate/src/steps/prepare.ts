import { fork, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { Failure, type FailureDetails } from '@outgrow/kit'
import type { SchemaSource } from '@outgrow/schema'
import type { PreparedSchema } from '../model/prepared-schema.ts'
import type { RunRequest, Step } from './step.ts'

export const prepare: Step<PreparedSchema, RunRequest, Promise<PreparedSchema>> = {
  name: 'prepare',
  title: 'Render the schema for both databases',
  begin: ({ request, defer }) => {
    const { answer, end } = prepareSchema(request.schema, request.target.schema)
    answer.catch(() => {}) // awaited by the step; a flow that has ended before does not ask
    defer(end)
    return answer
  },
  run: async (_, begun) => ({ value: await begun }),
}

/** `renderSchema` in a process of its own: what the engines take is given back with it, which a thread's memory is not. */
function prepareSchema(
  source: SchemaSource,
  home: string,
): { answer: Promise<PreparedSchema>; end: () => void } {
  const child = fork(new URL(import.meta.resolve('@outgrow/graduate/prepare-process')), {
    serialization: 'advanced',
    stdio: ['ignore', 2, 2, 'ipc'], // stdout may be one JSON document, and nothing else
  })
  const end = () => {
    if (child.connected) child.disconnect()
  }
  child.send({ source, home })
  return { answer: answerOf(child).finally(end), end }
}

async function answerOf(child: ChildProcess): Promise<PreparedSchema> {
  const ended = once(child, 'exit').then(([code]) => {
    throw new Error(`preparing the schema ended with ${String(code)}`)
  })
  ended.catch(() => {}) // of interest only while an answer is awaited
  const [answer] = (await Promise.race([once(child, 'message'), ended])) as [
    { value: PreparedSchema } | { failure: FailureDetails },
  ]
  if ('failure' in answer) throw new Failure(answer.failure)
  return answer.value
}
