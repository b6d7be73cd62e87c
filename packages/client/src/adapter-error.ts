/** What Prisma's adapters say of a failed statement, wherever the client's version puts it. */
export interface AdapterError {
  /** Prisma's own code: `P2002`. */
  code: string | undefined
  message: string
  /** The adapter's kind of it: `UniqueConstraintViolation`. */
  kind: string | undefined
  /** The database's code: an SQLSTATE, or `SQLITE_BUSY`. */
  originalCode: string | undefined
  /** Of a broken key: the columns (SQLite) or the index (Postgres). */
  columns: string[] | undefined
  index: string | undefined
  /** Of a table that does not exist. */
  table: string | undefined
}

interface Cause {
  kind?: string
  table?: string
  originalCode?: string
  constraint?: { fields?: string[]; index?: string }
}

/** Reads any thrown value. */
export function readAdapterError(error: unknown): AdapterError {
  const { code, message, meta } = (error ?? {}) as {
    code?: unknown
    message?: unknown
    meta?: { driverAdapterError?: { cause?: Cause }; target?: unknown; modelName?: string }
  }
  const cause = meta?.driverAdapterError?.cause
  return {
    code: typeof code === 'string' ? code : undefined,
    message: typeof message === 'string' ? message : '',
    kind: cause?.kind,
    table: cause?.table,
    originalCode: cause?.originalCode ?? busyCode(message, meta),
    columns: (cause?.constraint?.fields ?? targetColumns(meta?.target))?.map((name) =>
      name.replaceAll('"', ''),
    ),
    index: cause?.constraint?.index ?? (typeof meta?.target === 'string' ? meta.target : undefined),
  }
}

/** Prisma 6 names a broken key in `meta.target`. */
function targetColumns(target: unknown): string[] | undefined {
  return Array.isArray(target) ? target.map(String) : undefined
}

/** A lock that was not free is named in words where no cause comes along. Only texts are looked at: `meta` may hold anything. */
function busyCode(message: unknown, meta: object | null | undefined): string | undefined {
  const texts = [message, ...Object.values(meta ?? {})].filter((value) => typeof value === 'string')
  return /SQLITE_BUSY\w*/.exec(texts.join('\n'))?.[0]
}
