import { chmodSync, chownSync, statSync } from 'node:fs'

/** Gives a file the mode of another one, and its owner where this process may: who could read that reads this. */
export function sameOwner(path: string, like: string): void {
  const { mode, uid, gid } = statSync(like)
  chmodSync(path, mode & 0o777)
  if (process.getuid?.() === 0) chownSync(path, uid, gid)
}
