import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs'

/** Points DATABASE_URL in an environment file at `url`; the old line stays as a comment. Returns what was done, in words. */
export function switchConnection(file: string, url: string): string {
  const line = `DATABASE_URL="${url.replaceAll('"', '%22')}"`
  if (!existsSync(file)) {
    writeFileSync(file, `${line}\n`, { mode: 0o600 })
    return `Wrote DATABASE_URL to ${file}.`
  }
  const text = readFileSync(file, 'utf8')
  const old = /^(?:export\s+)?DATABASE_URL\s*=.*$/m
  const next = old.test(text)
    ? text.replace(old, (before) => `# before the move to Postgres: ${before}\n${line}`)
    : `${text.replace(/\n?$/, '\n')}${line}\n`
  writeFileSync(file, next, { mode: statSync(file).mode })
  return `Switched DATABASE_URL in ${file}; the old line is kept as a comment.`
}
