import type { PostgresClient } from '@outgrow/databases'
import type { Digest } from '../../model/digest.ts'
import { KeyDigests } from '../../model/key-digests.ts'
import type { PlannedTable } from '../../model/plan.ts'
import { RowHasher } from '../../model/row-hasher.ts'
import type { ReadForm } from '../../types/read-form.ts'
import { isSentAsList } from '../../types/value-types.ts'
import type { Target } from '../target.ts'
import { receiveRows } from './copy-streams.ts'
import { readHashed } from './hashed-table.ts'

/** A table's rows in the forms in which they are read, which come back to be hashed here. */
export class SelectedRows implements Pick<Target, 'digestsByKey' | 'eachRow'> {
  readonly #client: PostgresClient
  readonly #forms: readonly ReadForm[]

  constructor(client: PostgresClient, forms: readonly ReadForm[]) {
    this.#client = client
    this.#forms = forms
  }

  /** Hands over each row in binary COPY form: the callee's only until it returns. */
  async each(
    table: PlannedTable,
    onRow: (row: Buffer) => void,
    onPiece: () => void = () => {},
  ): Promise<void> {
    const { source } = await readHashed(this.#client, table)
    const values = this.#forms.map(({ sql }) => sql).join(', ')
    await receiveRows(
      this.#client,
      `COPY (SELECT ${values} FROM ${source}) TO STDOUT (FORMAT binary)`,
      onRow,
      onPiece,
    )
  }

  async digest(table: PlannedTable): Promise<Digest> {
    const hasher = new RowHasher(this.#lists)
    await this.each(table, (row) => hasher.add(row, 0, row.length))
    return hasher.digest
  }

  async digestsByKey(
    table: PlannedTable,
    { key, buckets }: Parameters<Target['digestsByKey']>[1],
  ): Promise<Digest[]> {
    const byKey = new KeyDigests(key, this.#lists, buckets)
    await this.each(table, (row) => byKey.add(row))
    return byKey.digests
  }

  async eachRow(
    table: PlannedTable,
    { key, buckets, of }: Parameters<Target['eachRow']>[1],
    onRow: (row: Buffer) => void,
  ): Promise<void> {
    const byKey = new KeyDigests(key, this.#lists, buckets)
    const isAsked = new Set(of)
    await this.each(table, (row) => {
      if (isAsked.has(byKey.bucketOf(row))) onRow(row)
    })
  }

  get #lists(): boolean[] {
    return this.#forms.map(({ column }) => isSentAsList(column))
  }
}
