import { relative } from 'node:path'
import { sqliteVersion } from '@outgrow/databases'
import { assertNever, exit } from '@outgrow/kit'
import type { Generation, SchemaFinding } from '@outgrow/schema'
import { outcome, type Outcome } from '../output/outcome.ts'
import { count, type Terminal } from '../output/terminal.ts'

export interface GenerateDocument extends Outcome {
  outputs: string[]
  findings: SchemaFinding[]
}

/** What became of the generated schemas. */
export function printGeneration(terminal: Terminal, generation: Generation): void {
  for (const line of linesOf(generation)) terminal.line(line)
}

function linesOf(generation: Generation): string[] {
  switch (generation.state) {
    case 'refused':
      return ['Nothing was written: see what was refused above.']
    case 'current':
      return [
        `Both schemas are up to date. ${sqliteVersion()} and PostgreSQL ${generation.postgres} created their tables.`,
      ]
    case 'stale':
      return [`Stale: ${shown(generation.outputs).join(', ')}. ${regenerate}`]
    case 'written': {
      const changed = shown(generation.changed)
      return [
        changed.length === 0 ? 'Both schemas are already up to date.' : `Wrote ${changed.join(' and ')}.`,
        `Prisma accepts both, one client fits both, and ${sqliteVersion()} created its tables. The tables on Postgres were not tried: --check does that.`,
      ]
    }
    default:
      return assertNever(generation)
  }
}

export function documentOf(generation: Generation, findings: SchemaFinding[]): GenerateDocument {
  const outputs = 'outputs' in generation ? shown(generation.outputs) : []
  const document = outcome('generate', { outputs, findings }, generation.state !== 'refused')
  if (generation.state !== 'stale') return document
  const error = {
    code: 'OUTGROW_SCHEMA_STALE',
    message: `${outputs.join(', ')} differs from what the source generates.`,
    why: null,
    fix: regenerate,
  }
  return { ...document, ok: false, exitCode: exit.expected, error }
}

const regenerate = 'Run outgrow generate and commit the result.'

const shown = (paths: string[]): string[] => paths.map((path) => relative(process.cwd(), path))

const placesShown = 5

/** One cause, one line, with its places. */
export function printSchemaFindings(terminal: Terminal, findings: SchemaFinding[]): void {
  const groups = Map.groupBy(
    findings.filter(({ action }) => action !== 'copied'),
    ({ action, reason }) => `${action}: ${reason}`,
  )
  const refusedFirst = [...groups].toSorted(
    ([, a], [, b]) => Number(isRefused(b[0])) - Number(isRefused(a[0])),
  )
  for (const [reason, group] of refusedFirst) {
    const color = isRefused(group[0]) ? 'red' : 'cyan'
    const places = new Map(group.map((finding) => [placeOf(finding), finding.suggestion]))
    terminal.line(`${terminal.style(color, `${count(places.size)} ×`)} ${reason}`)
    const advice = new Set(group.map(({ suggestion }) => suggestion))
    for (const [place, suggestion] of [...places].slice(0, placesShown)) {
      terminal.line(`    ${place}`)
      // What to write instead is another line for each member.
      if (advice.size > 1 && isRefused(group[0]) && suggestion !== null) terminal.line(`      ${suggestion}`)
    }
    const more = places.size - placesShown
    if (more > 0) terminal.line(`    and ${count(more)} more; --json lists them all`)
    const { suggestion } = group[0] as SchemaFinding
    if (suggestion !== null && (advice.size === 1 || !isRefused(group[0]))) {
      terminal.line(`    ${suggestion.replaceAll('\n', '\n    ')}`)
    }
  }
}

/** What both sides treat alike stands on one line. */
function placeOf({ file, line, model, field, feature }: SchemaFinding): string {
  return `${file}:${line}  ${[model, field].filter((part) => part !== null).join('.')}  ${feature}`
}

const isRefused = (finding: SchemaFinding | undefined): boolean => finding?.action === 'refused'
