import { wasm } from './wasm.ts'

let known: Set<string> | undefined

/** Names of the preview features that this Prisma still knows as previews. */
export function knownPreviewFeatures(): Set<string> {
  known ??= new Set(JSON.parse(wasm().preview_features()) as string[])
  return known
}
