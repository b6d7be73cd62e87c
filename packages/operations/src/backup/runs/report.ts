import type { Manifest } from '../model/manifest.ts'

/** What a command tells of one backup. */
export interface BackupSummary {
  id: string
  provider: Manifest['provider']
  method: Manifest['method']
  createdAt: string
  storedBytes: number
  plainBytes: number
  keyId: string | null
  tables: { table: string; rows: number }[]
  notes: string[]
  /** What was wrong with the database that was backed up. */
  damage: string[]
}

export function summaryOf(manifest: Manifest): BackupSummary {
  const { id, provider, method, createdAt, storedBytes, plainBytes, keyId, notes, damage } = manifest
  const tables = manifest.tables.map(({ name, rows }) => ({ table: name, rows }))
  return { id, provider, method, createdAt, storedBytes, plainBytes, keyId, tables, notes, damage }
}
