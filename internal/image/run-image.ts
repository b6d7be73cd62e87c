import { execFileSync, spawn, type ChildProcess } from 'node:child_process'
import { mkdirSync } from 'node:fs'
import type { Image } from './build-image.ts'

/** How compose.yaml starts a service. */
export interface ServiceOf {
  command?: string[] | undefined
  environment: Record<string, string>
}

/**
 * Starts a process of an image as its user, in a root that cannot be written to, with an empty /tmp and the folder of a
 * volume at /data. The mounts are of the process' own namespace, and go with it.
 */
export function runImage(
  image: Image,
  volume: string,
  { command = image.command, environment }: ServiceOf,
): ChildProcess {
  mkdirSync(volume, { recursive: true })
  execFileSync('chown', ['1000:1000', volume])
  const script = [
    'set -e',
    'mount --bind "$ROOT" "$ROOT"',
    'mount -o remount,bind,ro "$ROOT"',
    'mount -t tmpfs tmpfs "$ROOT/tmp"',
    'chmod 1777 "$ROOT/tmp"',
    'mount --bind "$VOLUME" "$ROOT/data"',
    'exec chroot --userspec=1000:1000 "$ROOT" /usr/bin/env -i -C "$@"',
  ].join('\n')
  const env = { HOME: '/home/node', ...image.env, ...environment }
  const settings = Object.entries(env).map(([name, value]) => `${name}=${value}`)
  return spawn(
    'unshare',
    ['--mount', '/bin/sh', '-c', script, 'sh', image.workdir, ...settings, ...command],
    {
      env: { PATH: process.env.PATH, ROOT: image.root, VOLUME: volume },
      stdio: ['ignore', 'pipe', 'pipe'],
    },
  )
}

export function removeImage(mounts: string[]): void {
  for (const mount of mounts.toReversed()) execFileSync('umount', [mount])
}
