import { randomUUID } from 'node:crypto'
import { tmpdir } from 'node:os'
import type { Manifest } from '../src/backup/model/manifest.ts'
import { withPostgresTarget } from '../src/backup/postgres/restore/postgres-target.ts'
import { withPostgresSource } from '../src/backup/postgres/postgres-source.ts'
import { compareTables } from '../src/backup/model/compare-tables.ts'

/** A backup in memory. */
export interface TakenBackup {
  manifest: Manifest
  parts: Map<string, Buffer>
}

interface TakeOptions {
  signal?: AbortSignal
  /** Called as each part begins. */
  onPart?: (name: string) => Promise<void>
}

const never = new AbortController().signal

export async function takeBackup(
  url: string,
  { signal = never, onPart }: TakeOptions = {},
): Promise<TakenBackup> {
  return withPostgresSource({ url, workDir: tmpdir(), signal, onProgress: () => {} }, async (source) => {
    const parts = new Map<string, Buffer>()
    for await (const { name, body } of source.parts()) {
      await onPart?.(name)
      const pieces: Uint8Array[] = []
      for await (const piece of body) pieces.push(Uint8Array.from(piece))
      parts.set(name, Buffer.concat(pieces))
    }
    const summary = await source.summary()
    const now = new Date().toISOString()
    return {
      parts,
      manifest: JSON.parse(
        JSON.stringify({
          id: randomUUID(),
          provider: source.provider,
          method: source.method,
          createdAt: source.takenAt.toISOString(),
          finishedAt: now,
          storedBytes: 0,
          plainBytes: 0,
          keyId: null,
          versions: { outgrow: '0', server: source.server },
          parts: [],
          ...summary,
        }),
      ) as Manifest,
    }
  })
}

export interface Restored {
  differences: string[]
  problems: string[]
  notes: string[]
}

interface RestoreOptions {
  signal?: AbortSignal
  /** What becomes of a part's bytes on their way. */
  change?: (name: string, bytes: Buffer) => Buffer
  /** Waited for before they go on it. */
  pause?: () => Promise<unknown>
}

export async function restoreBackup(
  { manifest, parts }: TakenBackup,
  url: string,
  { signal = never, change = (_, bytes) => bytes, pause }: RestoreOptions = {},
): Promise<Restored> {
  return withPostgresTarget({ url, workDir: tmpdir(), signal, onProgress: () => {} }, async (target) => {
    try {
      await target.refuseUnlessEmpty()
      await target.restore(manifest, async function* (name) {
        const bytes = change(name, parts.get(name) as Buffer)
        await pause?.()
        // Pieces of an odd length: nothing may rest on where they are cut.
        for (let at = 0; at < bytes.length; at += 10_007) yield bytes.subarray(at, at + 10_007)
      })
      const differences = compareTables(manifest.tables, await target.tables())
      const problems = await target.problems()
      if (differences.length + problems.length === 0) await target.publish()
      else await target.discard()
      return { differences, problems, notes: target.notes() }
    } catch (error) {
      await target.discard()
      throw error
    }
  })
}
