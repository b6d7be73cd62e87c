import { Edits } from '../psl/edit.ts'
import { fieldsOf, type Block, type Directive, type Member, type PrismaFile } from '../psl/syntax.ts'
import { note, sourceText, storedBlockName, type Rendering, type RuleContext } from './context.ts'
import { datasourceRule, generatorRule } from './rules/datasource.ts'
import { defaultRule } from './rules/defaults.ts'
import { keyRule } from './rules/keys.ts'
import { nameRule } from './rules/names.ts'
import { typeRule } from './rules/types.ts'

export interface Folders {
  /** Where the source's relative paths start. */
  sourceDirectory: string
  /** Where the rendered schema will lie. */
  outputDirectory: string
}

/** One file of the source in the target's dialect; everything that no rule touches stays to the letter. */
export function renderFile(rendering: Rendering, file: PrismaFile, folders: Folders): string {
  const edits = new Edits(file.text)
  const overrides = overridesOf(file, edits, rendering)
  for (const block of file.blocks) {
    const omitted = omittedFields(rendering, block, overrides)
    const context: RuleContext & Folders = { ...rendering, ...folders, file, edits, block, omitted }
    renderBlock(context, overrides)
  }
  return edits.apply().replace(/^\uFEFF/, '')
}

function renderBlock(context: RuleContext & Folders, overrides: Map<Member, string>): void {
  const { block } = context
  const members = block.members.filter((member) => !override(context, member, overrides.get(member)))
  const blockContext = { ...context, block: { ...block, members } }
  switch (block.kind) {
    case 'datasource':
      return datasourceRule(blockContext)
    case 'generator':
      return generatorRule(blockContext)
    case 'type':
      return note(context, {
        code: 'OUTGROW_SCHEMA_UNSUPPORTED',
        at: block,
        feature: `type ${block.name}`,
        action: 'refused',
        reason: 'Composite types exist on MongoDB only.',
        suggestion: 'Make it a model with a relation, or a Json field.',
      })
    case 'enum':
      copied(context, block, 'enum')
      return dropSchema(context, members)
    case 'view':
    case 'model':
      nameRule(context)
      for (const member of members) modelMember({ ...context }, member)
  }
}

/** Left out by a comment, or of a type that only the source's database has. */
function omittedFields(
  { index, target }: Rendering,
  block: Block,
  overrides: Map<Member, string>,
): ReadonlySet<string> {
  const fields = fieldsOf(block).filter((field) => {
    const text = overrides.get(field)
    return text === undefined ? field.type === 'Unsupported' && target !== index.source : text === 'omit'
  })
  return new Set(fields.map(({ name }) => name))
}

function modelMember(context: RuleContext, member: Member): void {
  if (member.kind === 'attribute') return keyRule(context, member.attribute, undefined)
  if (member.kind !== 'field') return
  typeRule(context, member)
  if (member.type === 'Unsupported' && context.target !== context.index.source) return
  defaultRule(context, member)
  for (const attribute of member.attributes) keyRule(context, attribute, member.name)
}

function copied(context: RuleContext, block: Block, feature: string): void {
  note(context, {
    code: 'OUTGROW_SCHEMA_COPIED',
    at: block,
    feature: `${feature} ${block.name}`,
    action: 'copied',
    reason: 'Means the same on both databases.',
  })
}

/** SQLite has neither schemas nor types: enums of one name in two schemas are only values there. */
function dropSchema(context: RuleContext, members: Member[]): void {
  if (context.target !== 'sqlite') return
  const stored = storedBlockName(context)
  const isDouble = [...context.index.enums.values()].some(
    (other) => other.start !== context.block.start && storedBlockName({ block: other }) === stored,
  )
  for (const member of members) {
    if (member.kind !== 'attribute') continue
    const { name } = member.attribute
    if (name !== 'schema' && !(name === 'map' && isDouble)) continue
    context.edits.removeLines(member)
    note(context, {
      code: 'OUTGROW_SCHEMA_POSTGRES_ONLY',
      at: member,
      feature: sourceText(context, member),
      action: 'dropped',
      reason: 'SQLite has no schemas or types: an enum is stored there as the text of its members.',
    })
  }
}

/** `// outgrow:sqlite …` belongs to the member on its line, or to the next one. */
function overridesOf(file: PrismaFile, edits: Edits, rendering: Rendering): Map<Member, string> {
  const members = file.blocks.flatMap((block) => block.members)
  const overrides = new Map<Member, string>()
  for (const directive of file.directives) {
    if (directive.trailing) edits.remove(directive)
    else edits.removeLines(directive)
    if (directive.provider !== rendering.target) continue
    const member = directive.trailing
      ? members.findLast((candidate) => candidate.end <= directive.start)
      : members.find((candidate) => candidate.start >= directive.end)
    if (member) overrides.set(member, withoutComment(directive))
  }
  return overrides
}

function withoutComment(directive: Directive): string {
  return directive.text.replace(/^((?:[^"/]|"(?:[^"\\]|\\.)*"|\/(?!\/))*?)\s+\/\/.*$/, '$1')
}

/** Applies an override and says whether the member is settled by it. */
function override(context: RuleContext, member: Member, text: string | undefined): boolean {
  if (text === undefined) return false
  const adds = text.startsWith('@') && !text.startsWith('@@') && member.kind === 'field'
  const field = member.kind === 'field' ? member.name : undefined
  note(context, {
    code: 'OUTGROW_SCHEMA_OVERRIDE',
    at: member,
    field,
    feature: sourceText(context, member),
    action: text === 'omit' ? 'dropped' : 'rewritten',
    reason: `An outgrow comment sets this for ${context.target}: ${text}`,
  })
  if (text === 'omit') context.edits.removeMember(member)
  else if (adds && member.kind === 'field') {
    const names = [...text.matchAll(/@(\w+)/g)].map((match) => match[1])
    const kept = member.attributes
      .filter((attribute) => !names.includes(attribute.name.split('.')[0]))
      .map((attribute) => ` ${sourceText(context, attribute)}`)
    const last = member.attributes.at(-1)?.end ?? member.typeSpan.end
    context.edits.replace({ start: member.typeSpan.end, end: last }, `${kept.join('')} ${text}`)
  } else context.edits.replace(member, text)
  return true
}
