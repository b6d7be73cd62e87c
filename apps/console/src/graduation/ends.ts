import { basename } from 'node:path'
import { redactUrl } from '@outgrow/kit'

/** Where a graduation would lead from and to, as the console's environment says. */
export interface Ends {
  /** Undefined where DATABASE_URL names no file. */
  from: string | undefined
  /** Past a pooler. Undefined where POSTGRES_URL is not set. It is a secret: pages show `target`. */
  to: string | undefined
}

export function endsOf({
  DATABASE_URL: from,
  POSTGRES_URL: pooled,
  DIRECT_URL: direct,
}: {
  DATABASE_URL: string
  POSTGRES_URL?: string | undefined
  DIRECT_URL?: string | undefined
}): Ends {
  const named = [direct, pooled].find((url) => url !== undefined && url !== '')
  const to = pooled === '' ? undefined : pooled && named
  return { from: /^file:/i.test(from) ? from : undefined, to }
}

/** Why this console can change no graduation, in words; undefined where it can. */
export function missingEnd({ from, to }: Ends): string | undefined {
  if (from === undefined)
    return 'A graduation starts from an SQLite file, and this console’s DATABASE_URL does not name one.'
  if (to === undefined)
    return 'Set POSTGRES_URL in this console’s environment and restart it: without it the console reads the file only, and cannot rehearse, switch or go back.'
  return undefined
}

/** The file’s name, as it is typed to confirm what cannot be undone. */
export function fileName(from: string): string {
  return basename(from.replace(/^file:/i, '').replace(/\?.*$/, ''))
}

/** The target without user, password and parameters. */
export function targetName(to: string): string {
  return redactUrl(to)
    .replace(/\?.*$/, '')
    .replace(/^[^/]*\/\/([^/]*@)?/, '')
}
