import { statSync } from 'node:fs'

/** How large a file is, with what is not in it yet; 0 where there is none. */
export function sizeOf(path: string): number {
  return [path, `${path}-wal`]
    .map((one) => statSync(one, { throwIfNoEntry: false }))
    .reduce((sum, stat) => sum + (stat?.isFile() === true ? stat.size : 0), 0)
}
