import { readFileSync } from 'node:fs'
import { join } from 'node:path'

/**
 * Designs that lose something, each as one change of a source file of the product. A module that is loaded before the
 * processes of a run makes it while that file is read: the product itself has no switch for it.
 */
export const variants = {
  /** A REPLACE evicts rows, and nobody logs their keys. */
  'no-replace-guard': {
    file: 'packages/graduate/src/source/sqlite/live/capture-triggers.ts',
    find: 'guards.length === 0',
    replace: 'guards.length >= 0',
  },
  /** What is applied begins one entry too late. */
  'position-off-by-one': {
    file: 'packages/graduate/src/steps/live/catch-up.ts',
    find: 'dirty.collect(graduation.applied, to)',
    replace: 'dirty.collect(graduation.applied + 1, to)',
  },
  /** Both sides are compared without being at the same position. */
  'verified-off-position': {
    file: 'packages/graduate/src/steps/live/verify-live.ts',
    find: "const { position } = await applyRead(session, { as: 'whole' })",
    replace: 'const position = session.graduation.applied; void applyRead',
  },
  /** The old tables refuse writes and stay where they are: what reads them reads the past. */
  'raise-not-rename': {
    file: 'packages/graduate/src/source/sqlite/live/put-aside.ts',
    find: "renameCounters(target, `'${asidePrefix}' || name`, names)\n      writeSchema(target, version, change)",
    replace: `void [names, change]
      for (const name of tables) for (const event of ['INSERT', 'UPDATE', 'DELETE'])
        target.exec(\`CREATE TRIGGER "raise_\${event}_\${name}" BEFORE \${event} ON "\${name}" BEGIN SELECT RAISE(ABORT, '_outgrow_moved'); END\`)`,
  },
  /** The facade does not look at the authority once a transaction has begun on Postgres: it may begin before the tables go. */
  'no-look-after-begin': {
    file: 'packages/client/src/follower.ts',
    find: 'if (!this.#hasWayBack) return\n    // A backend',
    replace: 'if (this.#hasWayBack || !this.#hasWayBack) return\n    // A backend',
  },
} as const

export type Variant = keyof typeof variants

export const variantNames = Object.keys(variants) as Variant[]

/** How a process is started so that it runs the variant. */
export function variantOptions(variant: Variant | undefined): { execArgv: string[]; env: NodeJS.ProcessEnv } {
  if (variant === undefined) return { execArgv: [], env: process.env }
  const hook = join(import.meta.dirname, 'variant-hook.ts')
  return { execArgv: ['--import', hook], env: { ...process.env, CHAOS_VARIANT: variant } }
}

/**
 * The source of a file as the variant has it; undefined for any other file.
 * @throws Error where the product's source is not as the variant expects it
 */
export function changedSource(name: Variant, path: string): string | undefined {
  const { file, find, replace } = variants[name]
  if (!path.endsWith(`/${file}`)) return undefined
  const source = readFileSync(path, 'utf8')
  if (source.split(find).length !== 2)
    throw new Error(`the variant ${name} does not find its place in ${file}`)
  return source.replace(find, () => replace)
}
