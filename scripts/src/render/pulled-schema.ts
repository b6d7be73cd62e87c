import type { PulledSchema } from '@outgrow/schema'
import { count, type Terminal } from '../output/terminal.ts'

/**
 * What could not be put into a schema that was read from a file, and the schema itself where it is in no file.
 * @param output path of the file
 */
export function printPulled(
  terminal: Terminal,
  { text, models, unsaid }: PulledSchema,
  output: string | null,
): void {
  if (output === null) terminal.line(text)
  for (const { kind, table, name, sql } of unsaid) {
    terminal.line(`${terminal.style('yellow', kind)} ${table}.${name} is not in the schema:`)
    terminal.line(`    ${sql.replaceAll(/\s+/g, ' ')}`)
  }
  terminal.line(`${count(models)} models${output === null ? '' : ` in ${output}`}.`)
}
