import { argumentOf, fieldsOf, itemsOf, type Attribute, type Block } from '@outgrow/schema'

/** One of billing's blocks as it would be written. */
export interface OwnBlock {
  /** What its offsets count in. */
  text: string
  block: Block
  /** Whether a type is a model, so that its field is a relation. */
  isModel: (type: string) => boolean
}

/**
 * Lines that a model or an enum lacks of one of billing's blocks, such as one that an earlier `billing init` made: fields, keys,
 * indexes and values. A relation is there under any name, when it leads to the same model; an index, where a key or another
 * index begins with its fields.
 */
export function missingMembers({ text, block, isModel }: OwnBlock, there: Block): string[] {
  const names = new Set(there.members.map((member) => ('name' in member ? member.name : undefined)))
  const related = new Set(fieldsOf(there).map(({ type }) => type))
  const added = block.members.filter((member) => {
    if (member.kind === 'value') return !names.has(member.name)
    return (
      member.kind === 'field' &&
      !names.has(member.name) &&
      !(isModel(member.type) && related.has(member.type))
    )
  })
  const keys = keysOf(there)
  const missing = keysOf(block).filter(({ fields, isUnique, owner }) => {
    if (added.some((member) => member === owner)) return false // comes with its field
    if (isUnique) return !keys.some((key) => key.isUnique && key.fields.join() === fields.join())
    return !keys.some((key) => `${key.fields.join()},`.startsWith(`${fields.join()},`))
  })
  return [
    ...added.flatMap(({ start, end }) => withComment(text, start, end)),
    ...missing.map(({ fields, isUnique }) => `@@${isUnique ? 'unique' : 'index'}([${fields.join(', ')}])`),
  ]
}

interface Key {
  fields: string[]
  isUnique: boolean
  /** The field that it is written at. */
  owner: Block['members'][number] | undefined
}

function keysOf(block: Block): Key[] {
  return block.members.flatMap((member): Key[] => {
    if (member.kind === 'field') {
      const isUnique = member.attributes.some(({ name }) => isKey(name))
      return isUnique ? [{ fields: [member.name], isUnique, owner: member } satisfies Key] : []
    }
    if (member.kind !== 'attribute') return []
    const { attribute } = member
    const isUnique = isKey(attribute.name)
    if (!isUnique && attribute.name !== 'index') return []
    return [{ fields: namesIn(attribute), isUnique, owner: undefined }]
  })
}

function isKey(attribute: string): boolean {
  return attribute === 'id' || attribute === 'unique'
}

/** The fields of `@@index([a, b(sort: Desc)])`. */
function namesIn(attribute: Attribute): string[] {
  return itemsOf(argumentOf(attribute, 'fields', true)?.value).map((item) =>
    item.kind === 'call' ? item.name : item.kind === 'path' ? item.text : '',
  )
}

/** A member's line, with the line of documentation before it. */
function withComment(text: string, start: number, end: number): string[] {
  const before = text.slice(0, start).trimEnd()
  const comment = before.slice(before.lastIndexOf('\n') + 1).trim()
  const line = text.slice(start, end)
  return comment.startsWith('///') ? [comment, line] : [line]
}
