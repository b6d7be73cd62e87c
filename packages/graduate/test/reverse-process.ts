import { readFileSync } from 'node:fs'
import { schemaSourceOf } from '@outgrow/schema'
import { runReverse } from '../src/index.ts'

// A process of its own, whose files may not grow, or which stands still among its rows until a test ends it.
const [from = '', to = '', schema = '', standsStill] = process.argv.slice(2)
try {
  await runReverse({
    from,
    to,
    schema: schemaSourceOf(readFileSync(schema, 'utf8'), import.meta.dirname),
    progress: ({ step, rows }) => {
      process.stdout.write(`${step} ${rows}\n`)
      if (standsStill && step === 'copy' && rows > 0)
        Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0)
    },
    signal: new AbortController().signal,
  })
  process.stdout.write('done\n')
} catch (error) {
  const { code, message } = error as { code?: string; message: string }
  process.stdout.write(`${code} ${message}\n`)
}
