import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { Failure, messageOf } from '@outgrow/kit'
import type { ProjectConfig } from './config.ts'

const names = ['outgrow.config.ts', 'outgrow.config.mts', 'outgrow.config.js', 'outgrow.config.mjs']

let loading: Promise<ProjectConfig> | undefined

/**
 * The project's configuration, read once; an empty one where the folder has none.
 * @throws Failure OUTGROW_CONFIG_INVALID
 */
export function project(): Promise<ProjectConfig> {
  loading ??= loadProject(process.cwd())
  return loading
}

/** Whether the folder has a configuration. */
export function configFile(folder: string): string | undefined {
  return names.map((name) => join(folder, name)).find((path) => existsSync(path))
}

async function loadProject(folder: string): Promise<ProjectConfig> {
  const path = configFile(folder)
  if (path === undefined) return {}
  const loaded = await importConfig(path)
  const problem = problemOf(loaded)
  if (problem === undefined) return loaded as ProjectConfig
  throw new Failure({
    code: 'OUTGROW_CONFIG_INVALID',
    message: `${path}: ${problem}`,
    fix: 'Export default defineConfig({ schema, clients, billing }); see docs/config.md.',
  })
}

async function importConfig(path: string): Promise<unknown> {
  try {
    return ((await import(pathToFileURL(path).href)) as { default?: unknown }).default
  } catch (cause) {
    throw new Failure({
      code: 'OUTGROW_CONFIG_INVALID',
      message: `${path} cannot be loaded: ${messageOf(cause)}`,
      why: 'Node runs it as it is, without a build.',
      fix: 'Correct the file. What it imports must exist: generate clients first, and import them only inside of () => import(…).',
      cause,
    })
  }
}

function problemOf(config: unknown): string | undefined {
  if (typeof config !== 'object' || config === null) return 'it has no default export'
  const known = new Set(['schema', 'clients', 'backup', 'billing'])
  const unknown = Object.keys(config).find((key) => !known.has(key))
  if (unknown !== undefined) return `${unknown} is not a setting`
  const { schema, clients, backup, billing } = config as Record<string, unknown>
  if (schema !== undefined && typeof schema !== 'string') return 'schema is not a path'
  const loads = (value: unknown) => typeof value === 'function'
  const { sqlite, postgres } = (clients ?? {}) as Record<string, unknown>
  if (clients !== undefined && !(loads(sqlite) && loads(postgres)))
    return 'clients must have sqlite and postgres, each a function that imports a generated client'
  if (backup !== undefined && !hasLocation(backup)) return 'backup.to is not a location'
  if (billing !== undefined && (typeof billing !== 'object' || billing === null))
    return 'billing is not an object'
  return undefined
}

function hasLocation(backup: unknown): boolean {
  return typeof backup === 'object' && backup !== null && 'to' in backup && typeof backup.to === 'string'
}
