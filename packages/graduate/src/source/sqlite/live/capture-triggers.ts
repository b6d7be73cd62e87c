import { quoteIdentifier, type SourceTable, type SqliteDatabase } from '@outgrow/databases'
import { captureTable, logTable, reservedPrefix, type CapturedTable } from './captured-table.ts'
import { affinityOf, rowidAlias, rowidNames, uniqueGuards, type UniqueGuard } from './unique-guards.ts'

/**
 * The triggers that append the keys of a table's changed rows to the log, as CREATE statements. What they append:
 * after a row was written its key, and the key that it had before if that differs; after a row was deleted its key;
 * before a row is written the keys of those that it may evict. None of them appends once the log is full.
 */
export function captureTriggers(
  database: SqliteDatabase,
  table: SourceTable,
  captured: CapturedTable,
): { name: string; sql: string }[] {
  const { key } = captured
  const guards = uniqueGuards(database, table, key)
  const on = quoteIdentifier(table.name)
  const of = (row: 'NEW' | 'OLD') => (column: string) => `${row}.${quoteIdentifier(column)}`
  const trigger = (what: string, when: string, ...body: string[]) => {
    const name = `${reservedPrefix}${captured.number}_${what}`
    return { name, sql: `CREATE TRIGGER ${name} ${when} BEGIN ${body.join('; ')}; END` }
  }
  const evict = (guard: UniqueGuard, ...also: string[]) =>
    append(
      captured,
      quoteIdentifier,
      `FROM ${on}`,
      [...also, guard.condition((column) => newColumn(table, column))].join(' AND '),
    )
  const alias = rowidAlias(database, table)
  const isRowid = key.length === 1 && alias !== undefined && key[0]?.toLowerCase() === alias.toLowerCase()
  const generated = key.some((column) => table.columns.some((one) => one.name === column && one.generated))
  const setKey = generated
    ? ''
    : ` OF ${[...key, ...(isRowid ? rowidNames : [])].map(quoteIdentifier).join(', ')}`
  const moved = key.map((column) => differs(table, column)).join(' OR ')
  return [
    trigger('insert', `AFTER INSERT ON ${on}`, append(captured, of('NEW'))),
    trigger('update', `AFTER UPDATE ON ${on}`, append(captured, of('NEW'))),
    trigger('move', `AFTER UPDATE${setKey} ON ${on} WHEN ${moved}`, append(captured, of('OLD'))),
    trigger('delete', `AFTER DELETE ON ${on}`, append(captured, of('OLD'))),
    ...(guards.length === 0
      ? []
      : [
          trigger('evict_insert', `BEFORE INSERT ON ${on}`, ...guards.map((guard) => evict(guard))),
          trigger(
            'evict_update',
            `BEFORE UPDATE${settingAny(guards)} ON ${on}`,
            ...guards.map((guard) =>
              evict(guard, ...(table.rowid === undefined ? [] : [`${table.rowid} <> OLD.${table.rowid}`])),
            ),
          ),
        ]),
  ]
}

/** ` OF` the columns that any of them depends on; nothing where one cannot say. */
function settingAny(guards: UniqueGuard[]): string {
  const columns = guards.map((guard) => guard.columns)
  if (columns.some((known) => known === undefined)) return ''
  return ` OF ${[...new Set(columns.flatMap((known) => known ?? []))].map(quoteIdentifier).join(', ')}`
}

function append(
  { number, key }: CapturedTable,
  column: (name: string) => string,
  from?: string,
  where?: string,
): string {
  const room = `(SELECT max(seq) FROM ${logTable}) < (SELECT limit_seq FROM ${captureTable})`
  return [
    `INSERT INTO ${logTable} (tbl, ${key.map((_, at) => `k${at + 1}`).join(', ')})`,
    `SELECT ${[String(number), ...key.map(column)].join(', ')}`,
    ...(from === undefined ? [] : [from]),
    `WHERE ${where === undefined ? '' : `${where} AND `}${room}`,
  ].join(' ')
}

function newColumn(table: SourceTable, column: string): string {
  return column === table.rowid ? `NEW.${column}` : `NEW.${quoteIdentifier(column)}`
}

/** Bit for bit: neither a collation nor 1 = 1.0 makes two keys one. */
function differs(table: SourceTable, column: string): string {
  const name = quoteIdentifier(column)
  const known = table.columns.find((one) => one.name === column)
  const types = known && affinityOf(known) === 'TEXT' ? '' : ` OR typeof(OLD.${name}) <> typeof(NEW.${name})`
  return `OLD.${name} IS NOT NEW.${name} COLLATE BINARY${types}`
}
