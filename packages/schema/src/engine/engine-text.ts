import { Edits } from '../psl/edit.ts'
import { parsePrismaFile } from '../psl/parse.ts'
import { argumentOf, type Argument, type Attribute } from '../psl/syntax.ts'
import { knownPreviewFeatures } from './preview-features.ts'

/** Addresses, which Prisma 7 keeps outside the schema. */
export const connectionProperties = new Set(['url', 'directUrl', 'shadowDatabaseUrl'])

/**
 * A schema of any version of Prisma as the engine of version 7 takes it: without addresses, without previews that it does
 * not know, without keys of views, and with `map:` where older ones wrote `name:`. Every line keeps its number.
 */
export function engineText(path: string, text: string): string {
  const done = recent.get(text) ?? adapted(path, text)
  recent.delete(text)
  recent.set(text, done)
  if (recent.size > recentTexts) recent.delete([...recent.keys()][0] as string)
  return done
}

/** One text is validated, read and compared in turn: what becomes of it is worked out once. */
const recent = new Map<string, string>()
const recentTexts = 8

function adapted(path: string, text: string): string {
  const known = knownPreviewFeatures()
  const edits = new Edits(text)
  for (const block of parsePrismaFile(path, text).blocks) {
    for (const member of block.members) {
      if (member.kind === 'attribute') {
        // Prisma up to 5 let views have keys.
        if (block.kind === 'view' && member.attribute.name === 'id') edits.replace(member, '')
        const name = nameThatIsMap(member.attribute)
        if (name) edits.replace({ start: name.start, end: name.start + 'name'.length }, 'map')
      }
      if (member.kind !== 'property') continue
      if (block.kind === 'datasource' && connectionProperties.has(member.name)) edits.replace(member, '')
      if (block.kind !== 'generator' || member.name !== 'previewFeatures' || member.value?.kind !== 'array')
        continue
      const kept = member.value.items.filter((item) => item.kind === 'string' && known.has(item.value))
      if (kept.length === member.value.items.length) continue
      const lines = text.slice(member.value.start, member.value.end).split('\n').length - 1
      const items = kept.map((item) => text.slice(item.start, item.end)).join(', ')
      edits.replace(member.value, `[${items}${'\n'.repeat(lines)}]`)
    }
  }
  return edits.apply()
}

/** `name:` of an index, or of a key where it cannot be the client's name: the database's name, as Prisma 2 wrote it. */
export function nameThatIsMap(attribute: Attribute): Argument | undefined {
  if (!/^(index|unique|id)$/.test(attribute.name) || argumentOf(attribute, 'map')) return undefined
  const name = attribute.args.find((argument) => argument.name === 'name')
  if (name?.value.kind !== 'string') return undefined
  return attribute.name === 'index' || !/^\w+$/.test(name.value.value) ? name : undefined
}
