import { Failure } from '@outgrow/kit'
import type { SchemaSource } from '@outgrow/schema'
import { renderSchema } from './render-schema.ts'

// Nobody waits for the answer any more.
process.once('disconnect', () => process.exit())
process.once('message', (request) => void answer(request as { source: SchemaSource; home: string }))

async function answer({ source, home }: { source: SchemaSource; home: string }): Promise<void> {
  try {
    process.send?.({ value: await renderSchema(source, home) })
  } catch (error) {
    if (!(error instanceof Failure)) throw error
    const { code, message, why, fix } = error
    process.send?.({ failure: { code, message, why, fix } })
  }
}
