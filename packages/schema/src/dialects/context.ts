import type { Provider } from '../engine/schema-engine.ts'
import type { Edits } from '../psl/edit.ts'
import type { Attribute, Block, EnumValue, Field, PrismaFile, Span } from '../psl/syntax.ts'
import { argumentOf, lineOf, stringOf } from '../psl/syntax.ts'
import type { PrismaVersion } from '../prisma-version.ts'
import type { SchemaFinding } from './finding.ts'

export interface DialectOptions {
  /** Keep scalar lists as arrays on Postgres; the client's types then differ on those fields. */
  keepLists: boolean
}

/** The whole source, looked up by name. */
export interface SchemaIndex {
  source: Provider
  /** Name of the datasource block, which native types start with: `@db.VarChar(20)`. */
  datasource: string
  files: PrismaFile[]
  models: Map<string, Block>
  enums: Map<string, Block>
}

/** One rendering: the source `index` becomes the schema of `target`. */
export interface Rendering {
  index: SchemaIndex
  target: Provider
  options: DialectOptions
  findings: SchemaFinding[]
  /** Version of Prisma that reads the rendered schema. */
  prisma: PrismaVersion
}

/** What a rule sees: the block it looks at and the means to change it. */
export interface RuleContext extends Rendering {
  file: PrismaFile
  edits: Edits
  block: Block
  /** Fields of the block that this side does not have. */
  omitted: ReadonlySet<string>
}

export type Note = Omit<SchemaFinding, 'file' | 'line' | 'model' | 'field' | 'suggestion'> & {
  at: Span
  field?: string | undefined
  suggestion?: string | undefined
}

export function note(context: RuleContext, { at, field, suggestion, ...finding }: Note): void {
  context.findings.push({
    code: finding.code,
    file: context.file.path,
    line: lineOf(context.file.text, at.start),
    model: context.block.name,
    field: field ?? null,
    feature: finding.feature,
    action: finding.action,
    reason: finding.reason,
    suggestion: suggestion ?? null,
  })
}

export function sourceText(context: RuleContext, span: Span): string {
  return context.file.text.slice(span.start, span.end)
}

/** `@db.VarChar(20)` of a field, whatever the datasource is called. */
export function nativeTypeOf({ datasource }: SchemaIndex, field: Field): Attribute | undefined {
  return field.attributes.find(({ name }) => name.startsWith(`${datasource}.`))
}

/** `String[]`, `Kind[]`: a list of values, not of rows. */
export function isScalarList(index: SchemaIndex, field: Field): boolean {
  return field.arity === 'list' && !index.models.has(field.type)
}

/** The text that an enum member has in the database. */
export function storedName(value: EnumValue): string {
  const mapped = value.attributes.find((attribute) => attribute.name === 'map')?.args[0]?.value
  return mapped?.kind === 'string' ? mapped.value : value.name
}

/** The mapped name of a block, else its own. */
export function storedBlockName(context: Pick<RuleContext, 'block'>): string {
  const map = context.block.members.find(
    (member) => member.kind === 'attribute' && member.attribute.name === 'map',
  )
  return (
    (map?.kind === 'attribute' ? stringOf(argumentOf(map.attribute, 'name', true)) : undefined) ??
    context.block.name
  )
}
