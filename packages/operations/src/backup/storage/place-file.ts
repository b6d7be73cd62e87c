import { existsSync } from 'node:fs'
import { link, open, rename, rm } from 'node:fs/promises'
import { dirname } from 'node:path'

/** Gives a whole file its place, for good. It fails with EEXIST where something is there already. */
export async function placeNewFile(whole: string, place: string): Promise<void> {
  try {
    await link(whole, place) // fails where a rename would replace
    await rm(whole)
  } catch (error) {
    if (!hasNoLinks(error)) throw error
    if (existsSync(place)) throw Object.assign(new Error(`${place} is there already`), { code: 'EEXIST' })
    await rename(whole, place)
  }
  await syncFolder(dirname(place))
}

/** As placeNewFile, but replaces what is there. */
export async function placeFile(whole: string, place: string): Promise<void> {
  await rename(whole, place)
  await syncFolder(dirname(place))
}

/** File systems of USB sticks and of some networks. */
function hasNoLinks(error: unknown): boolean {
  return ['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EMLINK'].includes(
    (error as NodeJS.ErrnoException).code ?? '',
  )
}

/** A name is only on the disk once its folder is. */
async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, 'r')
  try {
    await folder.sync()
  } finally {
    await folder.close()
  }
}
