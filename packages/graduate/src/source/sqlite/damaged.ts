import { Failure } from '@outgrow/kit'

/** @param fact what is wrong with the page, after `Page 7 `, such as `is not a page of a table` */
export function damagedPage(page: number, fact: string): Failure {
  return damagedSource(`Page ${page} of the SQLite file ${fact}.`)
}

/** Damage that was met while rows were being read. */
export function damagedSource(message: string, cause?: unknown): Failure {
  return new Failure({
    code: 'OUTGROW_SOURCE_DAMAGED',
    message,
    why: 'The file is damaged, so rows that it held may be missing or wrong. Nothing that was read of it is moved.',
    fix: 'Recover a copy with `sqlite3 file ".recover"`, and move that.',
    cause,
  })
}

/** What SQLite says of a damaged page, in the words of the product; any other error as it is. */
export function explainDamage(error: unknown): unknown {
  const { code, message } = (error ?? {}) as { code?: string; message?: string }
  return code?.startsWith('SQLITE_CORRUPT')
    ? damagedSource(`SQLite cannot read the file: ${message}.`, error)
    : error
}
