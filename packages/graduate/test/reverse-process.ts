import { readFileSync } from 'node:fs'
import { schemaSourceOf } from '@outgrow/schema'
import { runReverse } from '../src/index.ts'

// A process of its own, which a test can end or whose files may not grow.
const [from = '', to = '', schema = ''] = process.argv.slice(2)
try {
  await runReverse({
    from,
    to,
    schema: schemaSourceOf(readFileSync(schema, 'utf8'), import.meta.dirname),
    progress: ({ step, rows }) => process.stdout.write(`${step} ${rows}\n`),
    signal: new AbortController().signal,
  })
  process.stdout.write('done\n')
} catch (error) {
  const { code, message } = error as { code?: string; message: string }
  process.stdout.write(`${code} ${message}\n`)
}
