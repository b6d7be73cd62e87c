import { statSync } from 'node:fs'
import { unquoted } from '@outgrow/databases'
import { Failure } from '@outgrow/kit'

/**
 * What a restore goes into: the database of a URL, or a work folder, which gets a server.
 * @throws Failure OUTGROW_OPTION_INVALID
 */
export function restoreTarget(given: string): { url: string } | { workDir: string } {
  const to = unquoted(given)
  if (to === '') throw noTarget('--to is empty.')
  if (/^[a-z][a-z0-9+.-]+:/i.test(to)) return { url: to }
  // It may have a password, which is no name of a folder, and is not for messages.
  if (to.includes('://')) throw noTarget('--to is neither a URL nor a folder.')
  if (/\.(db|sqlite3?)$/i.test(to) || statSync(to, { throwIfNoEntry: false })?.isFile()) {
    throw new Failure({
      code: 'OUTGROW_OPTION_INVALID',
      message: `--to ${to} would be a work folder, and that is the name of a file.`,
      why: 'A database is named by its URL.',
      fix: `For an SQLite file pass --to file:${to}.`,
    })
  }
  return { workDir: to }
}

function noTarget(message: string): Failure {
  return new Failure({
    code: 'OUTGROW_OPTION_INVALID',
    message,
    fix: 'Pass --to file:./restored.db, a postgresql: URL, or a new work folder for a server that archived its WAL.',
  })
}
