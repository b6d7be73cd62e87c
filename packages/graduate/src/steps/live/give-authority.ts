import { readAuthority, writeAuthority, type Authority } from '@outgrow/databases'
import type { LiveFile } from '../../source/sqlite/live/live-file.ts'

/** Changes the authority, within the transaction of the writing connection. */
export function giveAuthority({ writer }: LiveFile, to: Pick<Authority, 'side' | 'epoch' | 'state'>): void {
  const known = readAuthority(writer)
  if (!known) throw new Error('the file has no authority row')
  writeAuthority(writer, { ...known, ...to })
}
