import { existsSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'

const packages = ['prisma', '@prisma/client']

export interface PrismaVersion {
  major: number
  minor: number
}

/** The version of Prisma that a folder's project uses: the one that is installed, else the one that it asks for. */
export function prismaVersion(directory: string): PrismaVersion | undefined {
  for (let at = directory; ; at = dirname(at)) {
    const version = installedIn(at) ?? askedForIn(at)
    if (version !== undefined) return version
    if (at === dirname(at)) return undefined
  }
}

function installedIn(folder: string): PrismaVersion | undefined {
  for (const name of packages) {
    const version = versionOf(readJson(join(folder, 'node_modules', name, 'package.json'))?.version)
    if (version !== undefined) return version
  }
  return undefined
}

function askedForIn(folder: string): PrismaVersion | undefined {
  const manifest = readJson(join(folder, 'package.json'))
  for (const kind of ['dependencies', 'devDependencies', 'peerDependencies']) {
    for (const name of packages) {
      const version = versionOf((manifest?.[kind] as Record<string, unknown> | undefined)?.[name])
      if (version !== undefined) return version
    }
  }
  return undefined
}

/** `^5.22.0`, `6.x`, `>=7` and `7` name one; `catalog:`, `workspace:*` and `latest` do not. */
function versionOf(range: unknown): PrismaVersion | undefined {
  const [, major, minor = '0'] =
    (typeof range === 'string' && /^[\^~>=v ]*(\d+)(?:\.(\d+))?/.exec(range)) || []
  return major === undefined ? undefined : { major: Number(major), minor: Number(minor) }
}

function readJson(path: string): Record<string, unknown> | undefined {
  if (!existsSync(path)) return undefined
  try {
    return JSON.parse(readFileSync(path, 'utf8')) as Record<string, unknown>
  } catch {
    return undefined // not ours to judge: it says no version
  }
}
