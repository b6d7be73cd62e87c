import { basename, dirname, posix, relative, win32 } from 'node:path'
import { connectionProperties } from '../../engine/engine-text.ts'
import { knownPreviewFeatures } from '../../engine/preview-features.ts'
import { quotePsl } from '../../psl/parse.ts'
import { stringOf, type Block, type Property } from '../../psl/syntax.ts'
import { note, sourceText, type RuleContext } from '../context.ts'

const providerNames = { sqlite: 'sqlite', postgres: 'postgresql' } as const
const postgresProperties = new Set(['extensions', 'schemas'])
const postgresPreviews = new Set(['fullTextSearchPostgres', 'postgresqlExtensions'])

interface Place {
  outputDirectory: string
  sourceDirectory: string
}

/** The datasource names its dialect; since Prisma 7 addresses live in prisma.config.ts. */
export function datasourceRule(context: RuleContext): void {
  for (const property of properties(context)) {
    if (property.name === 'provider' && property.value) {
      context.edits.replace(property.value, quotePsl(providerNames[context.target]))
    } else if (connectionProperties.has(property.name)) {
      connectionRule(context, property)
    } else if (context.target === 'sqlite' && postgresProperties.has(property.name)) {
      context.edits.removeLines(property)
      note(context, {
        code: 'OUTGROW_SCHEMA_POSTGRES_ONLY',
        at: property,
        feature: sourceText(context, property),
        action: 'dropped',
        reason: `SQLite has no ${property.name}.`,
      })
    }
  }
}

/** Prisma up to 6 wants the address in the schema; a second, direct one means nothing on SQLite. */
function connectionRule(context: RuleContext, property: Property): void {
  const wanted = context.prisma.major < 7
  if (wanted && (property.name === 'url' || context.target === 'postgres')) return
  context.edits.removeLines(property)
  note(context, {
    code: 'OUTGROW_SCHEMA_CONNECTION_URL',
    at: property,
    feature: property.name,
    action: 'dropped',
    reason: wanted
      ? 'On SQLite the file is the only address.'
      : 'Prisma 7 reads connection URLs from prisma.config.ts or the adapter, not from the schema.',
  })
}

/** Generators stay; what they write moves with the file, apart for each dialect. */
export function generatorRule(context: RuleContext & Place): void {
  outputRule(context)
  for (const property of properties(context)) {
    if (property.name === 'previewFeatures') previewRule(context, property)
  }
}

const isClient = /^prisma-client(-js)?$/

function outputRule(context: RuleContext & Place): void {
  const provider = valueOf(context, 'provider')
  const output = properties(context).find(({ name }) => name === 'output')
  const value = output?.value
  if (output && value?.kind === 'string') {
    const path = movedPath(context, value.value)
    const text = isClient.test(provider ?? '') ? `${path}/${context.target}` : apart(path, context.target)
    context.edits.replace(value, quotePsl(text))
    return noteOutput(context, output, text, 'rewritten')
  }
  if (output) return noteOutput(context, output, 'both are written to one place', 'noted')
  if (isOverridden(context, 'output') || provider !== 'prisma-client-js') return
  // Without an output both clients would be written to the one place in node_modules.
  const line = properties(context).find(({ name }) => name === 'provider') as Property
  context.edits.insert(line.end, `\n  output = "./client"`)
  note(context, {
    code: 'OUTGROW_SCHEMA_GENERATOR_OUTPUT',
    at: line,
    feature: sourceText(context, line),
    action: 'rewritten',
    reason: `Each dialect has its own output folder: ./client`,
    suggestion: 'Set output = "..." in this generator to change it.',
  })
}

/** The same place, seen from the rendered schema. */
function movedPath(context: Place, path: string): string {
  if (posix.isAbsolute(path) || win32.isAbsolute(path)) return path.replaceAll('\\', '/')
  const moved = relative(context.outputDirectory, `${context.sourceDirectory}/${path}`)
  return (moved.startsWith('.') ? moved : `./${moved}`).replaceAll('\\', '/')
}

/** Whether a comment has said what a property is on this side. */
function isOverridden(context: RuleContext, name: string): boolean {
  const whole = context.file.blocks.find(({ start }) => start === context.block.start)
  const has = (block: Block | undefined) =>
    block?.members.some((member) => member.kind === 'property' && member.name === name) ?? false
  return has(whole) && !has(context.block)
}

/** `ERD.svg` becomes `ERD.sqlite.svg`, and a folder gets one of its own in it. */
function apart(path: string, target: string): string {
  const extension = /^[^.].*(\.[a-z]\w{1,4})$/i.exec(basename(path))?.[1]
  if (extension === undefined) return `${path}/${target}`
  return `${dirname(path)}/${basename(path, extension)}.${target}${extension}`
}

function noteOutput(
  context: RuleContext,
  output: Property,
  text: string,
  action: 'rewritten' | 'noted',
): void {
  note(context, {
    code: 'OUTGROW_SCHEMA_GENERATOR_OUTPUT',
    at: output,
    feature: sourceText(context, output),
    action,
    reason:
      action === 'noted'
        ? 'This output is the same for both dialects: the second client would replace the first.'
        : `Each dialect has its own output folder: ${text}`,
    suggestion: `To change it, write // outgrow:${context.target} output = "..." on the line above.`,
  })
}

function previewRule(context: RuleContext, property: Property): void {
  const value = property.value
  if (value?.kind !== 'array') return
  // Which previews an older Prisma knows, its own project has found out.
  const known = context.prisma.major < 7 ? undefined : knownPreviewFeatures()
  const kept = value.items.filter((item) => {
    const name = item.kind === 'string' ? item.value : ''
    const forPostgres = postgresPreviews.has(name)
    if (forPostgres ? context.target === 'postgres' : (known?.has(name) ?? true)) return true
    note(context, {
      code: 'OUTGROW_SCHEMA_PREVIEW_FEATURE',
      at: item,
      feature: name,
      action: 'dropped',
      reason: forPostgres
        ? 'This preview exists for Postgres only.'
        : 'This Prisma version has no such preview feature (it became standard or was removed).',
    })
    return false
  })
  if (kept.length === 0) context.edits.removeLines(property)
  else if (kept.length < value.items.length) {
    context.edits.replace(value, `[${kept.map((item) => sourceText(context, item)).join(', ')}]`)
  }
}

function valueOf(context: RuleContext, name: string): string | undefined {
  const value = properties(context).find((property) => property.name === name)?.value
  return value && stringOf({ name, value, start: value.start, end: value.end })
}

function properties(context: RuleContext): Property[] {
  return context.block.members.filter((member) => member.kind === 'property')
}
