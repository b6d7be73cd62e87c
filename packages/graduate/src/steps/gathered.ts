/** What is done to fewer rows takes the server less time than its answer takes to come. */
const smallRows = 10_000
const groupRows = 50_000
/** A transaction over more tables would hold many locks. */
const groupTables = 100

/** Gathers small tables into groups, for which one statement does what each would wait for; large ones stay by themselves. */
export function gathered<Table extends { rows: number }>(tables: readonly Table[]): Table[][] {
  const groups: Table[][] = []
  let open: Table[] = []
  let rows = 0
  for (const table of tables) {
    if (table.rows > smallRows) {
      groups.push([table])
      continue
    }
    if (open.length === 0 || open.length === groupTables || rows + table.rows > groupRows) {
      open = []
      rows = 0
      groups.push(open)
    }
    open.push(table)
    rows += table.rows
  }
  return groups
}
