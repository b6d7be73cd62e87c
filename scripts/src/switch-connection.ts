import { chmodSync, existsSync, readFileSync, renameSync, statSync, writeFileSync } from 'node:fs'

const active =
  /^([ \t]*(?:export[ \t]+)?DATABASE_URL[ \t]*=[ \t]*)("(?:[^"\\]|\\.)*"|'[^']*'|`[^`]*`|[^\r\n#]*?)([ \t]*(?:#[^\r\n]*)?)$/gm

/**
 * Points every active DATABASE_URL line of an environment file at `url`; the old lines stay as comments, and everything
 * else as it is. The file is replaced whole. Returns what was done, in words.
 */
export function switchConnection(file: string, url: string): string {
  const value = `"${url.replaceAll('"', '%22').replaceAll('$', '%24')}"`
  if (!existsSync(file)) {
    writeFileSync(file, `DATABASE_URL=${value}\n`, { mode: 0o600 })
    return `Wrote DATABASE_URL to ${file}.`
  }
  const text = readFileSync(file, 'utf8')
  const lineEnd = text.includes('\r\n') ? '\r\n' : '\n'
  let lines = 0
  let next = text.replace(active, (whole, name: string, _old: string, comment: string) => {
    lines++
    return `# before the move to Postgres: ${whole.trim()}${lineEnd}${name}${value}${comment}`
  })
  if (lines === 0)
    next = `${text === '' || text.endsWith('\n') ? text : `${text}${lineEnd}`}DATABASE_URL=${value}${lineEnd}`
  // Renamed into place: whoever starts meanwhile reads the one file or the other.
  const part = `${file}.part`
  writeFileSync(part, next, { mode: 0o600 })
  chmodSync(part, statSync(file).mode & 0o777)
  renameSync(part, file)
  return lines > 1
    ? `Switched ${lines} DATABASE_URL lines in ${file}; the old ones are kept as comments.`
    : `Switched DATABASE_URL in ${file}; the old line is kept as a comment.`
}
