import { execFileSync, spawn, type ChildProcess } from 'node:child_process'
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import type { Image } from './build-image.ts'

/** How compose.yaml starts a service. */
export interface ServiceOf {
  command?: string[] | undefined
  environment: Record<string, string>
}

/**
 * Starts a process of an image as its user, in a root that cannot be written to, with an empty /tmp and
 * folders of `volumes` at /data and /backups. The mounts are of the process' own namespace, and go with it.
 */
export function runImage(
  image: Image,
  volumes: string,
  { command = image.command, environment }: ServiceOf,
): ChildProcess {
  for (const name of ['data', 'backups']) {
    mkdirSync(join(volumes, name), { recursive: true })
    execFileSync('chown', ['1000:1000', join(volumes, name)])
  }
  const script = [
    'set -e',
    'mount --bind "$ROOT" "$ROOT"',
    'mount -o remount,bind,ro "$ROOT"',
    'mount -t tmpfs tmpfs "$ROOT/tmp"',
    'chmod 1777 "$ROOT/tmp"',
    'mount --bind "$VOLUMES/data" "$ROOT/data"',
    'mount --bind "$VOLUMES/backups" "$ROOT/backups"',
    'exec chroot --userspec=1000:1000 "$ROOT" /usr/bin/env -i -C "$@"',
  ].join('\n')
  const env = { HOME: '/home/node', ...image.env, ...environment }
  const settings = Object.entries(env).map(([name, value]) => `${name}=${value}`)
  return spawn(
    'unshare',
    ['--mount', '/bin/sh', '-c', script, 'sh', image.workdir, ...settings, ...command],
    {
      env: { PATH: process.env.PATH, ROOT: image.root, VOLUMES: volumes },
      stdio: ['ignore', 'pipe', 'pipe'],
    },
  )
}

export function removeImage(mounts: string[]): void {
  for (const mount of mounts.toReversed()) execFileSync('umount', [mount])
}
