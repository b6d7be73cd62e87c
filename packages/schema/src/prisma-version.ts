import { existsSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'

const packages = ['prisma', '@prisma/client']

/** Major version of the Prisma that a folder's project uses: the one that is installed, else the one that it asks for. */
export function prismaVersion(directory: string): number | undefined {
  for (let at = directory; ; at = dirname(at)) {
    const version = installedIn(at) ?? askedForIn(at)
    if (version !== undefined) return version
    if (at === dirname(at)) return undefined
  }
}

function installedIn(folder: string): number | undefined {
  for (const name of packages) {
    const version = majorOf(readJson(join(folder, 'node_modules', name, 'package.json'))?.version)
    if (version !== undefined) return version
  }
  return undefined
}

function askedForIn(folder: string): number | undefined {
  const manifest = readJson(join(folder, 'package.json'))
  for (const kind of ['dependencies', 'devDependencies', 'peerDependencies']) {
    for (const name of packages) {
      const version = majorOf((manifest?.[kind] as Record<string, unknown> | undefined)?.[name])
      if (version !== undefined) return version
    }
  }
  return undefined
}

/** `^5.22.0`, `6.x`, `>=7` and `7` name one; `catalog:`, `workspace:*` and `latest` do not. */
function majorOf(range: unknown): number | undefined {
  const digits = typeof range === 'string' ? /^[\^~>=v ]*(\d+)/.exec(range)?.[1] : undefined
  return digits === undefined ? undefined : Number(digits)
}

function readJson(path: string): Record<string, unknown> | undefined {
  if (!existsSync(path)) return undefined
  try {
    return JSON.parse(readFileSync(path, 'utf8')) as Record<string, unknown>
  } catch {
    return undefined // not ours to judge: it says no version
  }
}
