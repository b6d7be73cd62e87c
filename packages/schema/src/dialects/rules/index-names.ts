import { createHash } from 'node:crypto'
import type { Provider } from '../../engine/schema-engine.ts'
import { nameThatIsMap } from '../../engine/engine-text.ts'
import { quotePsl } from '../../psl/parse.ts'
import {
  argumentOf,
  attributeOf,
  fieldsOf,
  itemsOf,
  stringOf,
  type Argument,
  type Attribute,
  type Block,
  type Expression,
} from '../../psl/syntax.ts'
import { storedBlockName, type SchemaIndex } from '../context.ts'

/** Postgres cuts names to this many bytes. */
const longestName = 63
const suffixes: Record<string, string> = { id: '_pkey', unique: '_key', index: '_idx' }

const known = new WeakMap<SchemaIndex, Map<Provider, Map<Attribute, string>>>()

/**
 * Keys and indexes whose name cannot stay as it is, with the name they get: Postgres keeps 63 bytes of a name, and SQLite
 * takes names of different schemas, or that differ by case, for one.
 */
export function changedIndexNames(index: SchemaIndex, target: Provider): Map<Attribute, string> {
  const targets = known.get(index) ?? new Map<Provider, Map<Attribute, string>>()
  known.set(index, targets)
  const names = targets.get(target) ?? namesFor(index, target)
  targets.set(target, names)
  return names
}

function namesFor(index: SchemaIndex, target: Provider): Map<Attribute, string> {
  const taken = new Set<string>()
  const changed = new Map<Attribute, string>()
  for (const block of index.models.values()) {
    if (block.kind !== 'model') continue
    const schema = target === 'postgres' ? schemaOf(block) : ''
    for (const { attribute, columns } of keysOf(block)) {
      const suffix = suffixes[attribute.name]
      if (suffix === undefined || (target === 'sqlite' && attribute.name === 'id')) continue
      const written = stringOf(writtenName(attribute))
      const wanted = written ?? defaultName(storedBlockName({ block }), columns, suffix, target)
      const name = free(wanted, target, (candidate) => taken.has(`${schema}.${folded(candidate, target)}`))
      taken.add(`${schema}.${folded(name, target)}`)
      if (name !== wanted) changed.set(attribute, name)
    }
  }
  return changed
}

/** The argument that names a key in the database: `map:`, or `name:` where older schemas mean that. */
export function writtenName(attribute: Attribute): Argument | undefined {
  const legacy = nameThatIsMap(attribute)
  return argumentOf(attribute, 'map') ?? attribute.args.find((argument) => argument === legacy)
}

/** The attribute's text with this name. */
export function withMap(text: string, attribute: Attribute, name: string): string {
  if (writtenName(attribute))
    return text.replace(/\bmap:\s*"(?:[^"\\]|\\.)*"/, () => `map: ${quotePsl(name)}`)
  return text.endsWith(')')
    ? `${text.slice(0, -1)}, map: ${quotePsl(name)})`
    : `${text}(map: ${quotePsl(name)})`
}

function folded(name: string, target: Provider): string {
  return target === 'sqlite' ? name.toLowerCase() : name
}

function free(wanted: string, target: Provider, isTaken: (name: string) => boolean): string {
  if (target === 'sqlite') {
    let name = wanted
    for (let number = 2; isTaken(name); number++) name = `${wanted}_${number}`
    return name
  }
  if (Buffer.byteLength(wanted) <= longestName && !isTaken(wanted)) return wanted
  // The same name for the same schema, whatever stands before it.
  let name = ''
  for (let salt = 0; name === '' || isTaken(name); salt++) {
    const hash = createHash('sha256')
      .update(`${wanted}${salt === 0 ? '' : salt}`)
      .digest('hex')
      .slice(0, 8)
    name = `${cut(wanted, longestName - 9)}_${hash}`
  }
  return name
}

/** As Prisma names what has no name of its own. */
function defaultName(table: string, columns: string[], suffix: string, target: Provider): string {
  const stem = suffix === '_pkey' ? table : [table, ...columns].join('_')
  return target === 'sqlite' ? `${stem}${suffix}` : `${cut(stem, longestName - suffix.length)}${suffix}`
}

/** The longest beginning of at most `bytes` bytes that ends with a whole character. */
function cut(text: string, bytes: number): string {
  let end = text.length
  while (Buffer.byteLength(text.slice(0, end)) > bytes) end--
  return text.slice(0, end)
}

function keysOf(block: Block): { attribute: Attribute; columns: string[] }[] {
  const columnOf = (name: string) => {
    const field = fieldsOf(block).find((candidate) => candidate.name === name)
    return (field && stringOf(argumentOf(attributeOf(field, 'map'), 'name', true))) ?? name
  }
  return block.members.flatMap((member) => {
    if (member.kind === 'field') {
      return member.attributes.map((attribute) => ({ attribute, columns: [columnOf(member.name)] }))
    }
    if (member.kind !== 'attribute') return []
    const names = itemsOf(argumentOf(member.attribute, 'fields', true)?.value).map(nameOf)
    return [{ attribute: member.attribute, columns: names.map(columnOf) }]
  })
}

/** The field that an item of `@@index([…])` names. */
export function nameOf(item: Expression): string {
  return item.kind === 'call' ? item.name : item.kind === 'path' ? item.text : ''
}

function schemaOf(block: Block): string {
  for (const member of block.members) {
    if (member.kind === 'attribute' && member.attribute.name === 'schema') {
      return stringOf(argumentOf(member.attribute, 'name', true)) ?? ''
    }
  }
  return ''
}
