import { Failure } from '@outgrow/kit'
import type { SchemaSource } from '@outgrow/schema'
import { renderSchema } from './render-schema.ts'

// Nobody waits for the answer any more.
process.once('disconnect', () => process.exit())
process.once('message', (request) => void answer(request as { source: SchemaSource; home: string }))

async function answer({ source, home }: { source: SchemaSource; home: string }): Promise<void> {
  try {
    send({ value: await renderSchema(source, home) })
  } catch (error) {
    if (!(error instanceof Failure)) throw error
    const { code, message, why, fix } = error
    send({ failure: { code, message, why, fix } })
  }
}

/** Whoever asked may have been killed meanwhile: that is no error of this process. */
function send(message: object): void {
  process.send?.(message, undefined, undefined, () => {})
}
