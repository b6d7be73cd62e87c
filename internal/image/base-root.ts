import { execFileSync } from 'node:child_process'
import { cpSync, existsSync, mkdirSync, realpathSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'

/** What stands in for `node:24-bookworm-slim` where no image can be pulled: Debian's smallest root, with Node, npm and its user. */
export function makeBaseRoot(root: string): void {
  run('debootstrap', ['--variant=minbase', 'bookworm', root])
  run('chroot', [root, 'useradd', '--uid', '1000', '--create-home', 'node'])
  cpSync(createRequire(import.meta.url).resolve('node/bin/node'), join(root, 'usr/local/bin/node'))
  const npm = join(realpathSync(execFileSync('which', ['npm'], { encoding: 'utf8' }).trim()), '../..')
  cpSync(npm, join(root, 'usr/local/lib/node_modules/npm'), { recursive: true })
  for (const name of ['npm', 'npx'])
    writeFileSync(
      join(root, 'usr/local/bin', name),
      `#!/bin/sh\nexec node /usr/local/lib/node_modules/npm/bin/${name}-cli.js "$@"\n`,
      { mode: 0o755 },
    )
  // This machine's way to the registry, which a real build gets from its own network.
  for (const file of [
    '/etc/resolv.conf',
    '/etc/ssl/certs/ca-certificates.crt',
    '/root/.npmrc',
    '/usr/etc/npmrc',
    '/usr/local/etc/npmrc',
  ]) {
    if (!existsSync(file)) continue
    mkdirSync(join(root, file, '..'), { recursive: true })
    cpSync(file, join(root, file))
  }
}

function run(command: string, args: string[]): void {
  execFileSync(command, args, { stdio: ['ignore', 'ignore', 'inherit'] })
}
