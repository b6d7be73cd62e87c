/** Loaded with `--import`: the process runs the variant that CHAOS_VARIANT names. */
import { registerHooks } from 'node:module'
import { fileURLToPath } from 'node:url'
import { changedSource, type Variant } from './variants.ts'

const variant = process.env.CHAOS_VARIANT as Variant

registerHooks({
  load(url, context, nextLoad) {
    const source = url.startsWith('file:') ? changedSource(variant, fileURLToPath(url)) : undefined
    if (source === undefined) return nextLoad(url, context)
    return { format: 'module-typescript', source, shortCircuit: true }
  },
})
