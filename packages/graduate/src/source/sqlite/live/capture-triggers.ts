import { quoteIdentifier, type SourceTable, type SqliteDatabase } from '@outgrow/databases'
import { captureTable, logTable, reservedPrefix, type CapturedTable } from './captured-table.ts'
import { affinityOf, rowidAlias, rowidNames, uniqueGuards, type UniqueGuard } from './unique-guards.ts'

/**
 * The triggers that append the keys of a table's changed rows to the log, as CREATE statements. What they append:
 * after a row was written its key, and the key that it had before if that differs; after a row was deleted its key;
 * before a row is written the keys of those that it may evict. None of them begins to append once the log is full.
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
  const trigger = (what: string, event: string, when: string, ...body: string[]) => {
    const name = `${reservedPrefix}${captured.number}_${what}`
    return {
      name,
      sql: `CREATE TRIGGER ${name} ${event} ON ${on} WHEN ${when} BEGIN ${body.join('; ')}; END`,
    }
  }
  const row = (values: string[]) =>
    `${appendTo(captured)} VALUES (${[captured.number, ...values].join(', ')})`
  const evict = (what: string, event: string, ...others: string[]) => {
    const rows = guards.map((guard) => {
      const where = [...others, guard.condition((column) => newColumn(table, column))].join(' AND ')
      return { ...guard, from: `FROM ${on} WHERE ${where}` }
    })
    // Looked for beforehand: an INSERT … SELECT that finds nothing costs more than the look.
    const found = rows.map(({ from }) => `EXISTS (SELECT 1 ${from})`).join(' OR ')
    const keys = [captured.number, ...key.map(quoteIdentifier)].join(', ')
    const body = rows.map(
      ({ from, isWhole }) => `${appendTo(captured)} SELECT ${keys} ${from}${isWhole ? ` LIMIT ${room}` : ''}`,
    )
    return trigger(what, event, `(${found}) AND ${hasRoom}`, ...body)
  }
  const alias = rowidAlias(database, table)
  const isRowid = key.length === 1 && alias !== undefined && key[0]?.toLowerCase() === alias.toLowerCase()
  const generated = key.some((column) => table.columns.some((one) => one.name === column && one.generated))
  const setKey = generated
    ? ''
    : ` OF ${[...key, ...(isRowid ? rowidNames : [])].map(quoteIdentifier).join(', ')}`
  const moved = key.map((column) => differs(table, column)).join(' OR ')
  return [
    trigger('insert', 'AFTER INSERT', hasRoom, row(key.map(of('NEW')))),
    trigger('update', 'AFTER UPDATE', hasRoom, row(key.map(of('NEW')))),
    trigger('move', `AFTER UPDATE${setKey}`, `(${moved}) AND ${hasRoom}`, row(key.map(of('OLD')))),
    trigger('delete', 'AFTER DELETE', hasRoom, row(key.map(of('OLD')))),
    ...(guards.length === 0
      ? []
      : [
          evict('evict_insert', 'BEFORE INSERT'),
          evict(
            'evict_update',
            `BEFORE UPDATE${settingAny(guards)}`,
            ...(table.rowid === undefined ? [] : [`${table.rowid} <> OLD.${table.rowid}`]),
          ),
        ]),
  ]
}

const newest = `(SELECT max(seq) FROM ${logTable})`
const limit = `(SELECT limit_seq FROM ${captureTable})`

/** In WHEN it costs a tenth of what it costs in an INSERT … SELECT. */
const hasRoom = `${newest} < ${limit}`

const room = `max(0, ${limit} - ${newest})`

const appendTo = ({ key }: CapturedTable) =>
  `INSERT INTO ${logTable} (tbl, ${key.map((_, at) => `k${at + 1}`).join(', ')})`

/** ` OF` the columns that any of them depends on; nothing where one cannot say. */
function settingAny(guards: UniqueGuard[]): string {
  const columns = guards.map((guard) => guard.columns)
  if (columns.some((known) => known === undefined)) return ''
  return ` OF ${[...new Set(columns.flatMap((known) => known ?? []))].map(quoteIdentifier).join(', ')}`
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
