import { execFileSync } from 'node:child_process'
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'

/** What vitest, pnpm and a developer of this repository set. */
const foreign = ['NODE_ENV', 'NODE_PATH', 'VITEST', 'DATABASE_URL', 'POSTGRES_URL', 'NODE_COMPILE_CACHE']
const root = join(import.meta.dirname, '../../..')

export interface RepositoryCopy extends AsyncDisposable {
  folder: string
  /** For commands there: pnpm is on the path, and nothing points at this repository or at a database. */
  env: NodeJS.ProcessEnv
}

/**
 * What a clone would be, with changes that are not committed yet. Outside of this repository, where a module that is not
 * installed would be found in the folders above.
 */
export async function copyRepository(): Promise<RepositoryCopy> {
  const home = mkdtempSync(join(tmpdir(), 'outgrow-yours-'))
  const folder = join(home, 'acme')
  const listed = execFileSync('git', ['ls-files', '-z', '--cached', '--others', '--exclude-standard'], {
    cwd: root,
    encoding: 'utf8',
  })
  for (const path of listed.split('\0')) {
    if (path === '' || !existsSync(join(root, path))) continue
    mkdirSync(dirname(join(folder, path)), { recursive: true })
    cpSync(join(root, path), join(folder, path))
  }

  const bin = join(home, 'bin')
  const { packageManager } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
    packageManager: string
  }
  mkdirSync(bin)
  writeFileSync(join(bin, 'pnpm'), `#!/bin/sh\nexec npx -y ${packageManager} "$@"\n`, { mode: 0o755 })
  const path = (process.env.PATH ?? '').split(':').filter((one) => !one.startsWith(root))
  const env: NodeJS.ProcessEnv = {
    ...process.env,
    ...Object.fromEntries(foreign.map((name) => [name, undefined])),
    PATH: [bin, ...path].join(':'),
    GIT_AUTHOR_NAME: 'Ada',
    GIT_AUTHOR_EMAIL: 'ada@example.com',
    GIT_COMMITTER_NAME: 'Ada',
    GIT_COMMITTER_EMAIL: 'ada@example.com',
  }
  for (const args of [
    ['init', '-q'],
    ['add', '.'],
    ['commit', '-qm', 'Clone'],
  ])
    execFileSync('git', args, { cwd: folder, env })
  return {
    folder,
    env,
    [Symbol.asyncDispose]: async () => rmSync(home, { recursive: true, force: true }),
  }
}
