import { quoteIdentifier } from '@outgrow/databases'
import * as fc from 'fast-check'

/** A schema with what makes changes hard to follow, and statements that fit it. */
export interface RandomSchema {
  tables: RandomTable[]
  /** Triggers of the application that fire each other may never end. */
  mayRecurse: boolean
  /** Statements that make it. */
  sql: string[]
}

interface RandomTable {
  name: string
  columns: RandomColumn[]
  hasRowid: boolean
}

interface RandomColumn {
  name: string
  generated: boolean
}

const tableNames = [
  'T',
  'T_',
  'ta ble',
  'we"ird',
  "it's",
  'täble',
  'order',
  '😀',
  'a[b]',
  'on',
  't.t',
  'Index',
]
const columnNames = ['c', 'C2', 'select', 'ü', 'a"b', 'k ey', 'end', '😀', 'T', "q'q", 'rowid']
const types = [
  '',
  'INTEGER',
  'INT',
  'TEXT',
  'REAL',
  'NUMERIC',
  'BLOB',
  'DATETIME',
  'TEXT COLLATE NOCASE',
  'TEXT COLLATE RTRIM',
]
const strictTypes = ['INTEGER', 'INT', 'TEXT', 'REAL', 'BLOB', 'ANY', 'TEXT COLLATE NOCASE']
const actions = ['NO ACTION', 'CASCADE', 'SET NULL', 'SET DEFAULT', 'RESTRICT']
/** The first ones are drawn half the time, so that keys collide. */
const common = ['1', '2', "'a'", "'A'"]
const values = [
  ...common,
  '0',
  '1.0',
  '-1',
  "'1'",
  "'a '",
  "'b'",
  "x'61'",
  'NULL',
  '9007199254740993',
  '-9223372036854775808',
  '-9223372036854775808.0',
  "CAST(x'610062' AS TEXT)",
  "CAST(x'ff' AS TEXT)",
]
const conflicts = [
  '',
  '',
  'OR REPLACE ',
  'OR REPLACE ',
  'OR IGNORE ',
  'OR FAIL ',
  'OR ABORT ',
  'OR ROLLBACK ',
]

const q = quoteIdentifier

/** `pick` draws from a list, `chance` says yes with a probability: reproducible, since fast-check draws. */
export type Draw = { pick: <T>(list: readonly T[]) => T; chance: (of: number) => boolean }

export const draws: fc.Arbitrary<Draw> = fc.infiniteStream(fc.nat(9_999)).map((stream) => {
  const next = () => stream.next().value as number
  return {
    pick: (list) => {
      if (list.length === 0) throw new Error('There is nothing to pick.')
      return list[next() % list.length] as (typeof list)[number]
    },
    chance: (of) => next() / 10_000 < of,
  }
})

export function randomSchema(draw: Draw): RandomSchema {
  const { pick, chance } = draw
  const names = shuffled(tableNames, draw).slice(0, pick([1, 2, 3]))
  const shapes = names.map((name) => {
    const isStrict = chance(0.2)
    const withoutRowid = chance(0.25)
    const columns = shuffled(columnNames, draw)
      .slice(0, pick([2, 3, 4]))
      .map((column) => ({
        name: column,
        type: pick(isStrict ? strictTypes : types),
        notNull: chance(0.3),
        generated: false,
      }))
    return { name, isStrict, withoutRowid, columns }
  })
  const sql: string[] = []
  const tables: RandomTable[] = []
  for (const { name, isStrict, withoutRowid, columns } of shapes) {
    const onConflict = () =>
      chance(0.15) ? ` ON CONFLICT ${pick(['REPLACE', 'IGNORE', 'FAIL', 'ABORT'])}` : ''
    const parts = shuffled(columns, draw).slice(0, pick([1, 1, 1, 2]))
    const keyKind = withoutRowid ? 'list' : pick(['column', 'column', 'list', 'none'])
    const single = parts[0] as (typeof columns)[number]
    let isAlias = false
    const lines = columns.map((column) => {
      let definition = `${q(column.name)} ${column.type}`
      if (keyKind === 'column' && column === single) {
        isAlias = column.type === 'INTEGER'
        definition += ` PRIMARY KEY${isAlias && chance(0.3) ? ' DESC' : ''}${onConflict()}`
        if (isAlias && !definition.includes(' DESC') && chance(0.4)) definition += ' AUTOINCREMENT'
      }
      if (column.notNull)
        definition += ` NOT NULL${chance(0.2) ? ' ON CONFLICT REPLACE' : ''} DEFAULT ${isStrict && !/TEXT|ANY/.test(column.type) ? (column.type === 'BLOB' ? "x'00'" : '7') : "'d'"}`
      if (column === columns[0] || chance(0.15)) definition += ` UNIQUE${onConflict()}`
      if (chance(0.1))
        definition += ` CHECK (${chance(0.5) ? `${q(name)}.` : ''}${q(column.name)} IS NOT 'no')`
      if (chance(0.25)) {
        const parent = pick(shapes)
        const [to] = parent.columns
        definition += ` REFERENCES ${q(parent.name)}${chance(0.95) && to ? ` (${q(to.name)})` : ''} ON DELETE ${pick(actions)} ON UPDATE ${pick(actions)}${chance(0.5) ? ' DEFERRABLE INITIALLY DEFERRED' : ''}`
      }
      return definition
    })
    const all: RandomColumn[] = [...columns]
    if (chance(0.3)) {
      const base = pick(columns)
      const generated = { name: 'gen', generated: true }
      all.push(generated)
      lines.push(
        `gen ${isStrict ? 'ANY' : ''} AS (${pick(['lower', 'typeof', 'quote'])}(${q(base.name)})) ${pick(['STORED', 'VIRTUAL'])}`,
      )
    }
    if (keyKind === 'list')
      lines.push(
        `PRIMARY KEY (${parts.map((part) => `${q(part.name)}${chance(0.2) ? ' COLLATE NOCASE' : ''}`).join(', ')})${onConflict()}`,
      )
    if (keyKind === 'none')
      lines.push(`UNIQUE (${parts.map((part) => q(part.name)).join(', ')})${onConflict()}`)
    if (chance(0.3)) {
      const pair = shuffled(columns, draw).slice(0, 2)
      lines.push(`UNIQUE (${pair.map((part) => q(part.name)).join(', ')})${onConflict()}`)
    }
    const suffix = [withoutRowid && 'WITHOUT ROWID', isStrict && 'STRICT'].filter(Boolean).join(', ')
    sql.push(`CREATE TABLE ${q(name)} (${lines.join(', ')}) ${suffix}`)
    for (let at = 0; at < pick([0, 1, 2]); at++) sql.push(randomIndex(name, `i${at}_${name}`, all, draw))
    tables.push({
      name,
      columns: all,
      hasRowid: !withoutRowid && !columns.some((column) => column.name === 'rowid'),
    })
  }
  for (let at = 0; at < pick([0, 0, 1, 2]); at++) sql.push(randomTrigger(`tr "${at}`, tables, draw))
  if (chance(0.4))
    sql.push(`CREATE VIEW "a view" AS SELECT * FROM ${tables.map(({ name }) => q(name)).join(', ')}`)
  if (chance(0.2)) sql.push('CREATE VIRTUAL TABLE "full text" USING fts5(a)')
  return { tables, sql, mayRecurse: !sql.some((one) => one.startsWith('CREATE TRIGGER')) }
}

function randomIndex(table: string, name: string, columns: RandomColumn[], draw: Draw): string {
  const { pick, chance } = draw
  const term = () => {
    const column = q(pick(columns).name)
    const text = pick([
      column,
      column,
      `lower(${column})`,
      `${column} || 'x'`,
      `(${column} = 'a')`,
      `abs(${column})`,
    ])
    return `${text}${chance(0.3) ? ` COLLATE ${pick(['NOCASE', 'RTRIM', 'BINARY'])}` : ''}${chance(0.2) ? ' DESC' : ''}`
  }
  const where = chance(0.35)
    ? ` WHERE ${q(pick(columns).name)} ${pick(["> 'A'", 'IS NOT NULL', '= 1', "IN ('a', 1)"])}`
    : ''
  return `CREATE ${chance(0.75) ? 'UNIQUE ' : ''}INDEX ${q(name)} ON ${q(table)} (${Array.from({ length: pick([1, 1, 2]) }, term).join(', ')})${where}`
}

function randomTrigger(name: string, tables: RandomTable[], draw: Draw): string {
  const { pick, chance } = draw
  const on = pick(tables)
  const event = pick(['INSERT', 'UPDATE', 'DELETE'])
  const row = event === 'DELETE' ? 'OLD' : pick(event === 'UPDATE' ? ['NEW', 'OLD'] : ['NEW'])
  const into = pick(tables)
  const value = `${row}.${q(pick(on.columns).name)}`
  const body = chance(0.1)
    ? 'SELECT RAISE(IGNORE)'
    : randomChange(into, draw, (fallback) => (draw.chance(0.4) ? value : fallback), false)
  return `CREATE TRIGGER ${q(name)} ${pick(['BEFORE', 'AFTER'])} ${event} ON ${q(on.name)}${chance(0.3) ? ` WHEN ${value} IS NOT NULL` : ''} BEGIN ${body}; END`
}

const plain = (fallback: string): string => fallback

/** One INSERT, UPDATE or DELETE in any of its forms. */
export function randomChange(
  table: RandomTable,
  draw: Draw,
  valueOf: (fallback: string) => string = plain,
  isTop = true,
): string {
  const { pick, chance } = draw
  const value = () => valueOf(pick(chance(0.5) ? common : values))
  const settable = [
    ...table.columns.filter(({ generated }) => !generated).map(({ name }) => q(name)),
    ...(table.hasRowid && chance(0.2) ? ['rowid'] : []),
  ]
  const some = shuffled(settable, draw).slice(0, 1 + pick([0, 1, 2, 3]))
  const where = () =>
    chance(0.2) ? '' : ` WHERE ${q(pick(table.columns).name)} ${pick(['=', '>', 'IS', 'IS NOT'])} ${value()}`
  const set = (columns: string[]) =>
    columns
      .map((column) => `${column} = ${pick([value(), value(), pick(settable), `${pick(settable)} + 1`])}`)
      .join(', ')
  const name = q(table.name)
  const kind = pick(['insert', 'insert', 'insert', 'update', 'update', 'delete', isTop ? 'copy' : 'insert'])
  const or = pick(conflicts)
  if (kind === 'delete') return `DELETE FROM ${name}${where()}`
  if (kind === 'update') return `UPDATE ${or}${name} SET ${set(some)}${where()}`
  if (kind === 'copy')
    return `INSERT ${or}INTO ${name} (${some.join(', ')}) SELECT ${some.map(() => pick([pick(settable), value()])).join(', ')} FROM ${name} LIMIT 3`
  const rows = Array.from({ length: pick([1, 1, 2, 3]) }, () => `(${some.map(value).join(', ')})`)
  const upsert =
    isTop && chance(0.25)
      ? ` ON CONFLICT DO ${chance(0.3) ? 'NOTHING' : `UPDATE SET ${set([pick(settable)])}`}`
      : ''
  return `INSERT ${upsert === '' ? or : ''}INTO ${name} (${some.join(', ')}) VALUES ${rows.join(', ')}${upsert}`
}

function shuffled<T>(list: readonly T[], { pick }: Draw): T[] {
  const left = [...list]
  return list.map(() => {
    const one = pick(left)
    left.splice(left.indexOf(one), 1)
    return one
  })
}
