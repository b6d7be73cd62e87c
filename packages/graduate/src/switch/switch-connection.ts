import {
  chownSync,
  existsSync,
  readFileSync,
  realpathSync,
  renameSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { dirname } from 'node:path'
import { Failure } from '@outgrow/kit'

/**
 * One assignment: what stands before its value, the name in it, the value, and the rest of the line. A quoted value may go
 * on over lines, so that other names' values are passed over whole.
 */
const assignment =
  /^([ \t]*(?:export[ \t]+)?([A-Za-z_][\w.-]*)[ \t]*=[ \t]*)("(?:[^"\\]|\\[\s\S])*"|'[^']*'|`[^`]*`|[^\r\n]*?)([ \t]+#[^\r\n]*|[ \t]*)$/gm

/**
 * Points every active DATABASE_URL line of an environment file at `url`; the old lines stay as comments, and everything
 * else as it is, byte for byte. The file is replaced whole. Returns what was done, in words.
 */
export function switchConnection(file: string, url: string): string {
  const value = `"${url.replaceAll('"', '%22').replaceAll('$', '%24')}"`
  if (!existsSync(file)) {
    writeFileSync(file, `DATABASE_URL=${value}\n`, { mode: 0o600 })
    return `Wrote DATABASE_URL to ${file}.`
  }
  const path = realpathSync(file) // what a link leads to is changed, and the link stays
  const text = readFileSync(path, 'latin1') // every byte as it is, whatever its encoding
  const lineEnd = text.includes('\r\n') ? '\r\n' : '\n'
  let lines = 0
  let next = text.replace(assignment, (whole, before: string, name: string, _old: string, after: string) => {
    if (name !== 'DATABASE_URL') return whole
    lines++
    const old = whole.trim().replaceAll(/\r?\n/g, `${lineEnd}# `)
    return `# before the move to Postgres: ${old}${lineEnd}${before}${value}${after}`
  })
  if (lines === 0)
    next = `${text === '' || text.endsWith('\n') ? text : `${text}${lineEnd}`}DATABASE_URL=${value}${lineEnd}`
  // Renamed into place: whoever starts meanwhile reads the one file or the other.
  const part = `${path}.part`
  const { mode, uid, gid } = statSync(path)
  writeFileSync(part, next, { encoding: 'latin1', mode: mode & 0o777 })
  if (process.getuid?.() === 0) chownSync(part, uid, gid)
  renameSync(part, path)
  return lines > 1
    ? `Switched ${lines} DATABASE_URL lines in ${file}; the old ones are kept as comments.`
    : `Switched DATABASE_URL in ${file}; the old line is kept as a comment.`
}

/**
 * What is wrong with a file that is to be switched is said before anything is moved.
 * @throws Failure OUTGROW_OPTION_INVALID
 */
export function refuseUnswitchable(file: string): void {
  const exists = existsSync(file)
  if (exists ? statSync(file).isFile() : existsSync(dirname(file))) return
  throw new Failure({
    code: 'OUTGROW_OPTION_INVALID',
    message: exists
      ? `--switch ${file} is not a file.`
      : `--switch ${file} is in a folder that does not exist.`,
    fix: 'Pass the .env file of the application.',
  })
}
