import type { PlannedTable } from '../model/plan.ts'
import { qualified } from '../target/postgres/constraints.ts'
import { gathered } from './gathered.ts'
import type { Job } from './jobs.ts'

/**
 * Gathers statistics. Each table is locked by itself, however many a statement names.
 * @param rows about how many a table has
 * @param after what must be done before: a table's keys would wait for this, and those over expressions have statistics
 */
export function analyzeJobs(
  tables: readonly PlannedTable[],
  rows: (table: PlannedTable) => number,
  state: { readonly mustStop: boolean },
  after: (table: PlannedTable) => readonly Job[] = () => [],
): Job[] {
  const sized = tables.map((table) => ({ table, rows: rows(table) })).toSorted((a, b) => b.rows - a.rows)
  return gathered(sized).map((group): Job => {
    const statement = `ANALYZE ${group.map(({ table }) => qualified(table.target)).join(', ')}`
    return {
      name: statement,
      after: [...new Set(group.flatMap(({ table }) => after(table)))],
      run: async ({ client }) => {
        if (!state.mustStop) await client.query(statement)
      },
    }
  })
}
