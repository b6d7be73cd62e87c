import { openSqliteReadonly, readSourceTables } from '@outgrow/databases'
import { makeSqlite } from '@outgrow/testing'
import { expect, test } from 'vitest'
import { strictOptions } from '../src/model/options.ts'
import type { PlannedTable } from '../src/model/plan.ts'
import { PageEncoder } from '../src/source/sqlite/pages/encode-pages.ts'
import { FileDescriptor } from '../src/source/sqlite/pages/static-file.ts'
import { layoutOf, type TableLayout } from '../src/source/sqlite/pages/table-layout.ts'
import { targetColumn } from './page-reader.ts'

const rows = (table: string, more = '') =>
  `CREATE TABLE ${table} (a TEXT, b TEXT); INSERT INTO ${table} WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 3000) SELECT 'a' || i, 'b' || i FROM n; ${more}`

/** Reads a table by pages, whose layout is taken for another one. */
function readAs(path: string, layoutFor: (layout: TableLayout, other: TableLayout) => TableLayout): number {
  using descriptor = new FileDescriptor(path)
  const [database, other] = [openSqliteReadonly(path), openSqliteReadonly(path)]
  try {
    database.exec('BEGIN')
    const state = descriptor.look(path, database, other)
    if ('reason' in state) throw new Error(state.reason)
    const [first, second] = readSourceTables(database).map((source): [PlannedTable, TableLayout] => {
      const columns = source.columns.map(({ name }) => ({
        source: name,
        target: targetColumn('text'),
        castTo: undefined,
      }))
      const table = { source, columns, target: { schema: '', name: source.name, columns: [] }, key: [] }
      return [table, layoutOf(database, state.file, table) as TableLayout]
    }) as [[PlannedTable, TableLayout], [PlannedTable, TableLayout]]
    const encoder = new PageEncoder(database, first[0], strictOptions, layoutFor(first[1], second[1]))
    for (const buffer of encoder.buffers({ low: 1n, high: 3000n })) encoder.giveBack(buffer)
    return encoder.result.rowsRead
  } finally {
    database.close()
    other.close()
  }
}

test('a row that is read of pages otherwise than by SQLite ends the reading', () => {
  const path = makeSqlite(rows('t') + rows('u'))
  expect(readAs(path, (layout) => layout)).toBe(3000)
  const swapped = (layout: TableLayout) => ({ ...layout, columns: layout.columns.toReversed() })
  expect(() => readAs(path, swapped)).toThrow('The row of t whose rowid is 1 was read from')
})

test('a row that pages do not have, or have beside those that SQLite counts, ends the reading', () => {
  const other = (layout: TableLayout, { root }: TableLayout) => ({ ...layout, rowids: undefined, root })
  const path = makeSqlite(rows('t') + rows('u', 'DELETE FROM u WHERE rowid = 2999'))
  expect(() => readAs(path, other)).toThrow('(3000 rows in SQLite, 2999 here)')
  const more = makeSqlite(rows('t', 'DELETE FROM t WHERE rowid = 2999;') + rows('u'))
  expect(() => readAs(more, other)).toThrow('(2999 rows in SQLite, 3000 here)')
})
