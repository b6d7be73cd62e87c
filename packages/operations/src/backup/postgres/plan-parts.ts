/** Up to this, the rows of small tables lie together in one object. */
const partBytes = 64 * 1024 * 1024

export interface PlannedPart {
  name: string
  /** Places of its tables. */
  tables: number[]
  sizeBytes: number
}

/** Which tables' rows lie in which object: a large table in one of its own, small ones together. */
export function planParts(sizes: readonly number[]): PlannedPart[] {
  const parts: PlannedPart[] = []
  let open: PlannedPart | undefined
  for (const [table, sizeBytes] of sizes.entries()) {
    if (open === undefined || open.sizeBytes + sizeBytes > partBytes) {
      open = { name: `rows-${String(parts.length + 1).padStart(4, '0')}`, tables: [], sizeBytes: 0 }
      parts.push(open)
    }
    open.tables.push(table)
    open.sizeBytes += sizeBytes
  }
  return parts
}
