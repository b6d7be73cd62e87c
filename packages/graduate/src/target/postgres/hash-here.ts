import { KeyDigests } from '../../model/key-digests.ts'
import { RowHasher } from '../../model/row-hasher.ts'
import { receiveRows } from './copy-streams.ts'
import { copyOut, readHashed, type HashedTable } from './hashed-table.ts'
import type { Hashing } from './hashing.ts'

/** Every row comes back in its binary form, and is hashed here. */
export const hashHere: Hashing = {
  async digest(client, table, { from, cleared, onRows } = {}) {
    const hashed = await readHashed(client, table)
    const hasher = new RowHasher(listsOf(hashed))
    await receiveRows(
      client,
      copyOut({ ...hashed, source: from ?? hashed.source }, { ...(cleared && { cleared }) }),
      (row) => hasher.add(row, 0, row.length),
      onRows && (() => onRows(hasher.digest.rows)),
    )
    return hasher.digest
  },

  async digests(client, tables) {
    const digests = []
    for (const table of tables) digests.push(await hashHere.digest(client, table))
    return digests
  },

  async digestsByKey(client, table, { key, buckets }) {
    const hashed = await readHashed(client, table)
    const byKey = new KeyDigests(key, listsOf(hashed), buckets)
    await receiveRows(client, copyOut(hashed), (row) => byKey.add(row))
    return byKey.digests
  },

  async eachRow(client, table, { key, buckets, of }, onRow) {
    const hashed = await readHashed(client, table)
    const byKey = new KeyDigests(key, listsOf(hashed), buckets)
    const isAsked = new Set(of)
    await receiveRows(client, copyOut(hashed), (row) => {
      if (isAsked.has(byKey.bucketOf(row))) onRow(row)
    })
  },
}

function listsOf({ columns }: HashedTable): boolean[] {
  return columns.map(({ isList }) => isList)
}
