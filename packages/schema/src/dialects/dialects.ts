import { dirname, join, relative } from 'node:path'
import { validatePrismaSchema } from '../engine/prisma-wasm.ts'
import { generatedMark, indexSchema, type SchemaSource } from '../source.ts'
import type { Provider } from '../engine/schema-engine.ts'
import type { DialectOptions, SchemaIndex } from './context.ts'
import type { SchemaFinding } from './finding.ts'
import { renderFile } from './render.ts'

/** In a generated schema's first line: later commands keep what `generate` was told. */
export const keepListsMark = 'with --keep-lists'

/** What a project without a version is taken for. */
const currentPrisma = { major: 7, minor: 0 }

/** One source as two schemas, with what became of each feature. */
export interface Dialects {
  source: Provider
  sqlite: string
  postgres: string
  findings: SchemaFinding[]
  /** False when a feature was refused: then the texts are not to be used. */
  ok: boolean
}

/**
 * Renders the two dialects in memory. Nothing is written.
 * @param outputDirectory folder that will hold `sqlite/` and `postgres/`
 * @throws Failure OUTGROW_SCHEMA_INVALID, OUTGROW_SCHEMA_PROVIDER
 */
export function renderDialects(
  source: SchemaSource,
  outputDirectory = source.home,
  options: DialectOptions = { keepLists: false },
): Dialects {
  const index = indexSchema(source)
  validatePrismaSchema(source.files)
  const findings: SchemaFinding[] = []
  const render = (target: Provider) =>
    renderDialect(source, index, target, `${outputDirectory}/${target}`, options, findings)
  const sqlite = render('sqlite')
  const postgres = render('postgres')
  const ok = !findings.some((finding) => finding.action === 'refused')
  return { source: index.source, sqlite, postgres, findings: unique(findings), ok }
}

function renderDialect(
  source: SchemaSource,
  index: SchemaIndex,
  target: Provider,
  outputDirectory: string,
  options: DialectOptions,
  findings: SchemaFinding[],
): string {
  const rendering = { index, target, options, findings, prisma: source.prisma ?? currentPrisma }
  const from = relative(outputDirectory, source.path).replaceAll('\\', '/')
  const bodies = index.files
    .toSorted((a, b) => Number(holdsDatasource(b)) - Number(holdsDatasource(a)))
    .map((file) => {
      const isFolder = !source.path.endsWith('.prisma')
      const sourceDirectory = isFolder ? dirname(join(source.path, file.path)) : source.directory
      const text = renderFile(rendering, file, { sourceDirectory, outputDirectory }).trim()
      return index.files.length === 1 ? text : `// ${file.path}\n\n${text}`
    })
  const how = options.keepLists ? ` ${keepListsMark}` : ''
  return `${generatedMark} from ${from}${how}. Do not edit: change the source and run \`outgrow generate\`.\n\n${bodies.join('\n\n')}\n`
}

function holdsDatasource(file: SchemaIndex['files'][number]): boolean {
  return file.blocks.some((block) => block.kind === 'datasource')
}

/** A feature that both sides treat alike is told once. */
function unique(findings: SchemaFinding[]): SchemaFinding[] {
  const seen = new Map(findings.map((finding) => [JSON.stringify(finding), finding]))
  return [...seen.values()].toSorted(
    (a, b) => (a.file < b.file ? -1 : a.file > b.file ? 1 : 0) || a.line - b.line,
  )
}
