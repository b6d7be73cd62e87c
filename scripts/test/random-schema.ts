/** Mulberry32: the same choices for the same seed. */
export class Chance {
  #state: number

  constructor(seed: number) {
    this.#state = seed
  }

  next(): number {
    this.#state = (this.#state + 0x6d2b79f5) | 0
    let t = Math.imul(this.#state ^ (this.#state >>> 15), 1 | this.#state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296
  }

  int(low: number, high: number): number {
    return low + Math.floor(this.next() * (high - low + 1))
  }

  pick<Item>(items: readonly Item[]): Item {
    return items[this.int(0, items.length - 1)] as Item
  }

  maybe(chance: number): boolean {
    return this.next() < chance
  }
}

export interface RandomField {
  name: string
  type: string
  arity: '' | '?' | '[]'
  /** Native type with its arguments, such as `VarChar(12)`. */
  native: string | undefined
  /** Whether the default is the same whenever it is taken, so that a value may be left to it. */
  isConstant: boolean
  /** Whether the field must differ from row to row. */
  isUnique: boolean
}

export interface RandomModel {
  name: string
  fields: RandomField[]
  /** Fields of the key, in order. */
  id: string[]
  /** Required relations by their scalar field, to a model that stands before this one. */
  parents: { field: string; model: string; optional: boolean }[]
}

export interface RandomSchema {
  text: string
  provider: 'sqlite' | 'postgresql'
  models: RandomModel[]
  enums: Record<string, string[]>
}

const natives: Record<string, string[]> = {
  String: ['Text', 'VarChar(40)', 'Char(8)', 'Uuid', 'Inet', 'Bit(4)', 'Xml'],
  Int: ['Integer', 'SmallInt', 'Oid'],
  BigInt: ['BigInt'],
  Float: ['DoublePrecision', 'Real'],
  Decimal: ['Decimal(12, 3)', 'Decimal', 'Decimal(15, 0)', 'Money'],
  Boolean: ['Boolean'],
  DateTime: ['Timestamp(3)', 'Timestamptz(6)', 'Timestamp(0)', 'Date', 'Timestamptz', 'Time(3)', 'Timetz(3)'],
  Json: ['JsonB', 'Json'],
  Bytes: ['ByteA'],
}
const scalars = Object.keys(natives)
const defaults: Record<string, string[]> = {
  String: ['"it\'s \\"so\\""', 'uuid()', 'cuid()', 'nanoid(12)', '""'],
  Int: ['0', '-7'],
  BigInt: ['9007199254740993'],
  Float: ['1.5', '-0.25'],
  Decimal: ['12.345', '7'],
  Boolean: ['true', 'false'],
  DateTime: ['now()', '"2024-02-29T12:30:00.000Z"'],
  Json: ['"{\\"a\\": [1, null, \\"x\\"]}"', '"[]"'],
  Bytes: ['"AQID"'],
}
const computed: Record<string, string[]> = {
  String: [`'new'::text`, `'a;b'::character varying`],
  Int: ['42', `'7'::integer`],
  DateTime: ['now()', 'CURRENT_TIMESTAMP', `(now() + '3 days'::interval)`],
  Json: [`'{}'::jsonb`],
  Boolean: ['true'],
}
const comments = [
  '',
  '',
  '',
  ' // plain',
  ' /// documented',
  ' // a { brace } and "quotes"',
  ' // outgrow is not told here',
]

/** A schema over the grammar that both databases can have, with names, comments and layout as they come. */
export function randomSchema(chance: Chance): RandomSchema {
  const provider = chance.pick(['sqlite', 'postgresql'] as const)
  const datasource = chance.pick(['db', 'DS', 'main_database'])
  const enums = { Kind: ['one', 'two', 'three'], Mood: ['fine', 'sad'] }
  const models: RandomModel[] = []
  const blocks = [
    `datasource ${datasource} {\n  provider = "${provider}"\n}\n`,
    `generator client {\n  provider = "prisma-client"\n  output = "./client"\n}\n`,
    `enum Kind {\n  one\n  two @map("the second")\n  three // last\n${chance.maybe(0.5) ? '\n  @@map("kind of")\n' : ''}}\n`,
    'enum Mood {\n  fine\n  sad\n}\n',
  ]
  const backs = new Map<string, string[]>()
  const count = chance.int(3, 5)
  for (let at = 0; at < count; at++) {
    const name = `Model${at}`
    const model = randomModel(chance, name, provider, models, backs)
    models.push(model.model)
    blocks.push(model.head)
    backs.set(name, [...(backs.get(name) ?? [])])
  }
  const many = models.length > 2 && chance.maybe(0.5)
  if (many && models.every(({ id }) => id.length === 1)) {
    backs.get('Model0')?.push('  many Model1[] @relation("many")')
    backs.get('Model1')?.push('  sides Model0[] @relation("many")')
  }
  const text = blocks
    .map((block) =>
      block.replace(/\n {2}#back (\w+)\n/, (_, name: string) => `\n${(backs.get(name) ?? []).join('\n')}\n`),
    )
    .map((block) => block.replaceAll('@db.', `@${datasource}.`))
    .join(chance.pick(['\n', '\n\n', '\n/* between { blocks } */\n', '\n// a line\n']))
  const tabs = chance.maybe(0.3) ? text.replaceAll(/^ {2}/gm, '\t') : text
  return { text: chance.maybe(0.3) ? tabs.replaceAll('\n', '\r\n') : tabs, provider, models, enums }
}

function randomModel(
  chance: Chance,
  name: string,
  provider: RandomSchema['provider'],
  before: RandomModel[],
  backs: Map<string, string[]>,
): { model: RandomModel; head: string } {
  const onPostgres = provider === 'postgresql'
  const lines: string[] = []
  const fields: RandomField[] = []
  const keys: string[] = []
  const add = (field: Partial<RandomField> & { name: string; type: string }, attributes = '') => {
    const whole = { arity: '' as const, native: undefined, isConstant: false, isUnique: false, ...field }
    fields.push(whole)
    const native = whole.native === undefined ? '' : ` @db.${whole.native}`
    lines.push(
      `  ${whole.name}${chance.pick([' ', '   '])}${whole.type}${whole.arity}${attributes}${native}${chance.pick(comments)}`,
    )
  }
  const id = chance.pick(['counted', 'big', 'uuid', 'text', 'plain', 'two'] as const)
  if (id === 'counted') add({ name: 'id', type: 'Int', isUnique: true }, ' @id @default(autoincrement())')
  if (id === 'big') add({ name: 'id', type: 'BigInt', isUnique: true }, ' @id @default(autoincrement())')
  if (id === 'uuid') {
    const made = onPostgres ? 'dbgenerated("gen_random_uuid()")' : 'uuid()'
    add(
      { name: 'id', type: 'String', isUnique: true, native: onPostgres ? 'Uuid' : undefined },
      ` @id @default(${made})`,
    )
  }
  if (id === 'text') add({ name: 'id', type: 'String', isUnique: true }, ' @id @map("the key")')
  if (id === 'plain')
    add({ name: 'id', type: 'Int', isUnique: true }, onPostgres ? ` @id(map: "pk ${name}")` : ' @id')
  if (id === 'two') {
    add({ name: 'left', type: 'Int', isUnique: true })
    add({ name: 'right', type: 'String' })
    keys.push(chance.pick(['  @@id([left, right])', '  @@id([left, right], name: "both")']))
  }
  const parents: RandomModel['parents'] = []
  for (const parent of before.filter(({ id: key }) => key.length === 1 && chance.maybe(0.4))) {
    const optional = chance.maybe(0.5)
    const field = `of${parent.name}Id`
    const own = parent.fields[0] as RandomField
    const action = chance.pick([
      '',
      ', onDelete: Cascade',
      ', onDelete: Restrict',
      ', onDelete: NoAction',
      ...(optional ? [', onDelete: SetNull'] : []),
    ])
    add({ name: field, type: own.type, arity: optional ? '?' : '', native: own.native })
    lines.push(
      `  of${parent.name} ${parent.name}${optional ? '?' : ''} @relation("${name}${parent.name}", fields: [${field}], references: [${own.name}]${action})`,
    )
    backs.set(parent.name, [
      ...(backs.get(parent.name) ?? []),
      `  all${name} ${name}[] @relation("${name}${parent.name}")`,
    ])
    parents.push({ field, model: parent.name, optional })
  }
  for (let at = chance.int(2, 7); at > 0; at--) {
    const type = chance.pick([...scalars, 'Kind', 'Mood'])
    const arity = onPostgres && chance.maybe(0.12) ? '[]' : chance.maybe(0.35) ? '?' : ''
    const list = natives[type]
    const native = onPostgres && list && arity !== '[]' && chance.maybe(0.5) ? chance.pick(list) : undefined
    const canBeUnique =
      arity !== '[]' &&
      /^(String|Int|BigInt)$/.test(type) &&
      (native === undefined || /^(Text|Integer|BigInt)$/.test(native))
    const isUnique = canBeUnique && chance.maybe(0.15)
    const value =
      arity === '[]' || isUnique || native !== undefined ? undefined : defaultOf(chance, type, onPostgres)
    const attributes = [
      isUnique ? ' @unique' : '',
      value === undefined ? '' : ` @default(${value})`,
      type === 'DateTime' &&
      value === undefined &&
      arity !== '[]' &&
      native === undefined &&
      chance.maybe(0.15)
        ? ' @updatedAt'
        : '',
      chance.maybe(0.2) ? ` @map("column ${at} of it's")` : '',
    ]
    const isConstant = value !== undefined && !/uuid|cuid|nanoid|now|CURRENT/.test(value)
    add({ name: `field${at}`, type, arity, native, isUnique, isConstant }, attributes.join(''))
  }
  const plain = fields.filter(
    (field) =>
      field.arity === '' &&
      /^(String|Int|BigInt|Boolean)$/.test(field.type) &&
      !/^(Xml|Bit|Inet)/.test(field.native ?? ''),
  )
  if (plain.length > 1 && chance.maybe(0.5)) {
    const [a, b] = [chance.pick(plain), chance.pick(plain)]
    if (a !== b)
      keys.push(
        `  @@index([${a.name}(sort: Desc), ${b.name}], ${chance.pick(['map', 'name'])}: "index ${name} by two")`,
      )
    else
      keys.push(
        `  @@index([${a.name}]${onPostgres ? chance.pick(['', ', type: Hash', ', type: BTree']) : ''})`,
      )
  }
  if (chance.maybe(0.3)) keys.push(`  @@map("${name.toLowerCase()}_of it's")`)
  const head = `${chance.maybe(0.3) ? '/// What it is.\n' : ''}model ${name} {\n${lines.join('\n')}\n  #back ${name}\n${keys.length > 0 ? `\n${keys.join('\n')}\n` : ''}}\n`
  return { model: { name, fields, id: id === 'two' ? ['left', 'right'] : ['id'], parents }, head }
}

function defaultOf(chance: Chance, type: string, onPostgres: boolean): string | undefined {
  if (!chance.maybe(0.35)) return undefined
  if (type === 'Kind') return 'two'
  if (type === 'Mood') return undefined
  const expressions = computed[type]
  if (onPostgres && expressions && chance.maybe(0.4)) return `dbgenerated("${chance.pick(expressions)}")`
  return chance.pick(defaults[type] ?? [])
}

/** A value that the field can hold on both databases. `row` makes it differ where it must. */
export function randomValue(
  chance: Chance,
  { type, native = '', isUnique }: RandomField,
  row: number,
  enums: RandomSchema['enums'],
): unknown {
  const words = ['', 'a', "it's", 'Grüße 😀', 'NULL', '0', ' x ', 'line\nline', '\\', '"', '1e5']
  if (enums[type]) return chance.pick(enums[type])
  switch (type) {
    case 'String':
      if (native === 'Uuid')
        return `00000000-0000-4000-8000-${String(row * 1000 + chance.int(0, 999)).padStart(12, '0')}`
      if (native === 'Inet') return `10.0.${chance.int(0, 255)}.${chance.int(0, 255)}`
      if (native.startsWith('Bit')) return chance.pick(['0000', '1010', '1111'])
      if (native === 'Xml') return chance.pick(['<a/>', '<a b="c">d</a>'])
      if (native.startsWith('Char')) return chance.pick(['abcdefgh', '12345678'])
      return isUnique ? `${row} ${chance.pick(words)}` : chance.pick(words)
    case 'Int':
      if (isUnique) return row
      if (native === 'SmallInt') return chance.int(-32768, 32767)
      return native === 'Oid' ? chance.int(0, 2147483647) : chance.int(-2147483648, 2147483647)
    case 'BigInt':
      return isUnique
        ? BigInt(row)
        : chance.pick([0n, -1n, 9007199254740993n, -9223372036854775808n, 9223372036854775807n])
    case 'Float':
      return native === 'Real'
        ? chance.int(-1000, 1000) / 4
        : chance.pick([0, 1.5, -1e-7, 1e21, 123456.789, 0.1])
    case 'Decimal':
      if (native === 'Money') return chance.pick(['0', '1.5', '-12345.67', '7'])
      if (native.endsWith(', 0)')) return chance.pick(['0', '-123456789', '7'])
      return chance.pick(['0', '1.5', '-12345.678', '99999.001', '7'])
    case 'Boolean':
      return chance.maybe(0.5)
    case 'DateTime': {
      const day = chance.int(-20_000, 40_000) * 86_400_000
      if (native === 'Date') return new Date(day)
      if (native.startsWith('Time(') || native.startsWith('Timetz'))
        return new Date(chance.int(0, 86_399_999))
      return new Date(
        day + chance.int(0, 86_399) * 1000 + (native === 'Timestamp(0)' ? 0 : chance.int(0, 999)),
      )
    }
    case 'Json':
      return chance.pick([
        {},
        { a: 1, b: [true, null, 'x'] },
        [],
        [1.5, { z: 'ü' }],
        { 'it"s': { deep: [] } },
      ])
    case 'Bytes':
      return Uint8Array.from({ length: chance.int(0, 9) }, () => chance.int(0, 255))
    default:
      throw new Error(`no value for ${type}`)
  }
}
