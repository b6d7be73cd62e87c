import { compareTables } from '../model/compare-tables.ts'
import type { Manifest } from '../model/manifest.ts'
import type { OpenPart, RestoreTarget } from '../model/source.ts'

/** What came out of a restore. */
export interface Restored {
  /** Tables that differ from the manifest, in words. */
  differences: string[]
  /** What is wrong although no table differs. */
  problems: string[]
  /** What did not arrive, though nothing is wrong with what did. */
  notes: string[]
}

/** Fills a target, and compares all that it then holds with the manifest. Nothing is published. */
export async function restoreInto(
  target: RestoreTarget,
  manifest: Manifest,
  openPart: OpenPart,
): Promise<Restored> {
  await target.refuseUnlessEmpty()
  await target.restore(manifest, openPart)
  const differences = compareTables(manifest.tables, await target.tables())
  return { differences, problems: await target.problems(), notes: target.notes() }
}
