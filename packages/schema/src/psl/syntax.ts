/** Half-open range of offsets in one file's text. */
export interface Span {
  start: number
  end: number
}

export type Expression =
  | ({ kind: 'string'; value: string } & Span)
  | ({ kind: 'number'; text: string } & Span)
  | ({ kind: 'path'; text: string } & Span)
  | ({ kind: 'call'; name: string; args: Argument[] } & Span)
  | ({ kind: 'array'; items: Expression[] } & Span)
  | ({ kind: 'object' } & Span)

export interface Argument extends Span {
  /** Name before the colon, where there is one. */
  name: string | undefined
  value: Expression
}

/** `@id`, `@db.VarChar(20)`, `@@index([a])`. The name has no `@`. */
export interface Attribute extends Span {
  name: string
  args: Argument[]
}

export interface Field extends Span {
  kind: 'field'
  name: string
  nameSpan: Span
  /** `String`, a model or an enum; for `Unsupported("x")` it is `Unsupported`. */
  type: string
  typeSpan: Span
  /** What stands inside `Unsupported("...")`. */
  unsupported: string | undefined
  arity: 'required' | 'optional' | 'list'
  attributes: Attribute[]
}

interface BlockAttribute extends Span {
  kind: 'attribute'
  attribute: Attribute
}

export interface Property extends Span {
  kind: 'property'
  name: string
  value: Expression | undefined
}

export interface EnumValue extends Span {
  kind: 'value'
  name: string
  attributes: Attribute[]
}

export type Member = Field | BlockAttribute | Property | EnumValue

export type BlockKind = 'model' | 'view' | 'type' | 'enum' | 'datasource' | 'generator'

export interface Block extends Span {
  kind: BlockKind
  name: string
  nameSpan: Span
  /** Offset just behind `{`. */
  bodyStart: number
  /** Offset of `}`. */
  bodyEnd: number
  members: Member[]
}

/** A `//` comment that speaks to the generator: `// outgrow:sqlite omit`. */
export interface Directive extends Span {
  provider: 'sqlite' | 'postgres'
  text: string
  /** Whether something stands before it on its line. */
  trailing: boolean
}

export interface PrismaFile {
  path: string
  text: string
  blocks: Block[]
  directives: Directive[]
}

export function attributeOf(owner: { attributes: Attribute[] }, name: string): Attribute | undefined {
  return owner.attributes.find((attribute) => attribute.name === name)
}

/** The argument called `name`, else the first unnamed one when `positional` is set. */
export function argumentOf(
  attribute: { args: Argument[] } | undefined,
  name: string,
  positional = false,
): Argument | undefined {
  return (
    attribute?.args.find((argument) => argument.name === name) ??
    (positional ? attribute?.args.find((argument) => argument.name === undefined) : undefined)
  )
}

/** The items of a list; one that stands without brackets is the only one. */
export function itemsOf(value: Expression | undefined): Expression[] {
  if (!value) return []
  return value.kind === 'array' ? value.items : value.kind === 'path' || value.kind === 'call' ? [value] : []
}

export function stringOf(argument: Argument | undefined): string | undefined {
  return argument?.value.kind === 'string' ? argument.value.value : undefined
}

export function fieldsOf(block: Block): Field[] {
  return block.members.filter((member) => member.kind === 'field')
}

let indexed: { text: string; starts: number[] } = { text: '', starts: [0] }

/** 1-based line of an offset. The places of the line ends are kept for the text that was asked for last. */
export function lineOf(text: string, offset: number): number {
  if (text !== indexed.text) {
    const starts = [0]
    for (let at = text.indexOf('\n'); at >= 0; at = text.indexOf('\n', at + 1)) starts.push(at + 1)
    indexed = { text, starts }
  }
  let low = 0
  let high = indexed.starts.length
  while (high - low > 1) {
    const middle = (low + high) >>> 1
    if ((indexed.starts[middle] as number) <= offset) low = middle
    else high = middle
  }
  return low + 1
}
