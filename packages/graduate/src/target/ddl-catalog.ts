import type { TargetColumn, TargetTable } from './catalog.ts'
import type { Constraint } from './structure.ts'

/**
 * What Prisma's DDL for an empty Postgres would make, without a server: for looking at a source before there is a target.
 * It reads Prisma's own output, whose form is regular.
 */
export function catalogOfDdl(
  ddl: string,
  home: string,
): { tables: TargetTable[]; constraints: Constraint[] } {
  const enums = new Map<string, string[]>()
  const tables: TargetTable[] = []
  const constraints: Constraint[] = []
  const name = /(?:"((?:[^"]|"")+)"\.)?"((?:[^"]|"")+)"/.source
  for (const statement of ddl.split(/;\s*$/m).map((text) => text.replace(/^\s*--.*$/gm, '').trim())) {
    const type = new RegExp(`^CREATE TYPE ${name} AS ENUM \\((.*)\\)$`, 's').exec(statement)
    if (type) enums.set(unquoted(type[2]), texts(type[3] ?? ''))
    const table = new RegExp(`^CREATE TABLE ${name} \\((.*)\\)$`, 's').exec(statement)
    if (table) {
      const schema = unquoted(table[1]) || home
      const lines = (table[3] ?? '').split('\n').map((line) => line.trim().replace(/,$/, ''))
      tables.push({
        schema,
        name: unquoted(table[2]),
        columns: lines.map((line) => columnOf(line, enums)).filter((column) => column !== undefined),
      })
      const key = lines
        .map((line) => /^CONSTRAINT "((?:[^"]|"")+)" PRIMARY KEY \((.*)\)$/.exec(line))
        .find(Boolean)
      if (key)
        constraints.push(constraint('primary', schema, unquoted(table[2]), unquoted(key[1]), names(key[2])))
    }
    const index = new RegExp(
      `^CREATE (UNIQUE )?INDEX "((?:[^"]|"")+)" ON ${name}(?: USING \\w+)? ?\\((.*?)\\)( WHERE .*)?$`,
      's',
    ).exec(statement)
    if (index && index[6] === undefined) {
      const kind = index[1] ? 'unique' : 'index'
      constraints.push(
        constraint(kind, unquoted(index[3]) || home, unquoted(index[4]), unquoted(index[2]), names(index[5])),
      )
    }
    const foreign = new RegExp(
      `^ALTER TABLE ${name} ADD CONSTRAINT "((?:[^"]|"")+)" FOREIGN KEY \\((.*?)\\) REFERENCES ${name}\\((.*?)\\)`,
      's',
    ).exec(statement)
    if (foreign) {
      constraints.push({
        ...constraint(
          'foreign',
          unquoted(foreign[1]) || home,
          unquoted(foreign[2]),
          unquoted(foreign[3]),
          names(foreign[4]),
        ),
        parent: {
          schema: unquoted(foreign[5]) || home,
          table: unquoted(foreign[6]),
          columns: names(foreign[7]),
        },
      })
    }
  }
  return { tables, constraints }
}

function constraint(
  kind: Constraint['kind'],
  schema: string,
  table: string,
  name: string,
  columns: string[],
): Constraint {
  return { schema, table, name, kind, indexSql: null, definition: null, columns, parent: null }
}

/** SQL type to the catalog's name. */
const typeNames: Record<string, string> = {
  TEXT: 'text',
  INTEGER: 'int4',
  SERIAL: 'int4',
  SMALLINT: 'int2',
  SMALLSERIAL: 'int2',
  BIGINT: 'int8',
  BIGSERIAL: 'int8',
  BOOLEAN: 'bool',
  'DOUBLE PRECISION': 'float8',
  REAL: 'float4',
  DECIMAL: 'numeric',
  MONEY: 'money',
  TIMESTAMP: 'timestamp',
  TIMESTAMPTZ: 'timestamptz',
  DATE: 'date',
  TIME: 'time',
  TIMETZ: 'timetz',
  JSONB: 'jsonb',
  JSON: 'json',
  BYTEA: 'bytea',
  UUID: 'uuid',
  VARCHAR: 'varchar',
  CHAR: 'bpchar',
  CITEXT: 'citext',
  XML: 'xml',
  INET: 'inet',
  BIT: 'bit',
  VARBIT: 'varbit',
  OID: 'oid',
}

function columnOf(line: string, enums: Map<string, string[]>): TargetColumn | undefined {
  const match = /^"((?:[^"]|"")+)" (.*)$/s.exec(line)
  if (!match) return undefined
  const rest = match[2] as string
  const sqlType = rest.replace(/ NOT NULL.*$| DEFAULT .*$/s, '')
  const isArray = sqlType.endsWith('[]')
  const base = sqlType.replace(/\[\]$/, '')
  const enumName = /^(?:"(?:[^"]|"")+"\.)?"((?:[^"]|"")+)"$/.exec(base)?.[1]
  const bare = base.replace(/\(.*\)$/, '')
  const type = enumName === undefined ? (typeNames[bare.toUpperCase()] ?? bare) : unquoted(enumName)
  return {
    name: unquoted(match[1]),
    type: isArray ? `_${type}` : type,
    typeOid: 0,
    sqlType,
    modifier: modifierOf(type, /\(([\d, ]+)\)/.exec(base)?.[1]),
    element: isArray ? { type, oid: 0 } : undefined,
    enumValues: enumName === undefined ? undefined : enums.get(unquoted(enumName)),
    notNull: / NOT NULL/.test(rest) || /SERIAL/.test(sqlType),
    generated: false,
    sequence: /SERIAL/.test(sqlType) ? 'counted' : undefined,
  }
}

function modifierOf(type: string, written: string | undefined): number {
  if (written === undefined) return type === 'bpchar' ? 5 : -1
  const [first = 0, second = 0] = written.split(',').map(Number)
  if (type === 'numeric') return ((first << 16) | second) + 4
  return type.startsWith('time') ? first : first + 4
}

function unquoted(name: string | undefined): string {
  return (name ?? '').replaceAll('""', '"')
}

function names(list: string | undefined): string[] {
  return [...(list ?? '').matchAll(/"((?:[^"]|"")+)"/g)].map((match) => unquoted(match[1]))
}

function texts(list: string): string[] {
  return [...list.matchAll(/'((?:[^']|'')*)'/g)].map((match) => (match[1] ?? '').replaceAll("''", "'"))
}
