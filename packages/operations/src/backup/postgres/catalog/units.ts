import type { Relation } from './relations.ts'

/**
 * What rows are read from and loaded into, as one: a table, or a partitioned one with all of its partitions. Rows of a
 * partition stay in it, unless it was chosen by a hash: of an enum that differs between databases.
 */
export function unitsOf(relations: readonly Relation[]): Relation[] {
  const byOid = new Map(relations.map((relation) => [relation.oid, relation]))
  const parentOf = ({ parent }: Relation) => (parent === null ? undefined : byOid.get(parent))
  const hashedRoot = (relation: Relation): Relation | undefined => {
    const parent = parentOf(relation)
    const above = parent && hashedRoot(parent)
    return above ?? (relation.isHashed ? relation : undefined)
  }
  const sizes = new Map<number, number>()
  for (const relation of relations) {
    const root = hashedRoot(relation)
    if (root) sizes.set(root.oid, (sizes.get(root.oid) ?? 0) + relation.sizeBytes)
  }
  return relations.flatMap((relation) => {
    const root = hashedRoot(relation)
    if (root === undefined) return relation.kind === 'table' ? [relation] : []
    return root === relation ? [{ ...relation, sizeBytes: sizes.get(relation.oid) ?? 0 }] : []
  })
}
