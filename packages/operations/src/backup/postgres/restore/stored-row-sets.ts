import type { PostgresClient } from '@outgrow/databases'
import { readRelations } from '../catalog/relations.ts'
import { readRowSets } from '../catalog/row-sets.ts'
import type { StoredTable } from '../details.ts'
import { largeObjectRows } from '../large-objects.ts'
import type { RowSet } from '../rows.ts'

/** The backup's tables as they are in the target now, each column in the form in which it was stored. */
export async function findRowSets(client: PostgresClient, stored: readonly StoredTable[]): Promise<RowSet[]> {
  const relations = await readRelations(client)
  const known = new Map((await readRowSets(client, relations)).map((rows) => [rows.label, rows]))
  return stored.map(({ label, columns, condition, isPartitioned }) => {
    if (label === largeObjectRows.label) return largeObjectRows
    const rows = known.get(label)
    if (rows === undefined)
      throw new Error(`the backup has rows of ${label}, which its schema did not create`)
    const own = new Map(rows.columns.map((column) => [column.name, column]))
    return {
      label,
      condition,
      isPartitioned,
      columns: columns.map(({ name, asText }) => {
        const column = own.get(name)
        if (column === undefined) throw new Error(`${label} has no column ${name}`)
        return asText && !column.asText
          ? { ...column, asText, type: 'text', send: 'textsend', isList: false }
          : { ...column, asText }
      }),
    }
  })
}
