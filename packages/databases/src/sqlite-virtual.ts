import { splitTokens, sqlTokens, unquoteSql } from './sqlite-ddl.ts'

/** A virtual table: what keeps its rows decides whether it is moved. */
export interface VirtualTable {
  /** In small letters: `fts5`, `rtree`. */
  module: string
  /** `own`: in its shadow tables and nowhere else. `elsewhere`: in another table. `index`: only what can be searched. */
  content: 'own' | 'elsewhere' | 'index'
  /** The table that an external content is read from. */
  contentTable: string | undefined
  rows: number
  /** Why its rows cannot be read here. */
  problem: string | undefined
}

/**
 * The tables in which a module keeps what is its own, by what follows the virtual table's name and `_`.
 * Source: SQLite's documentation of FTS5, FTS3/4, R*Tree and Geopoly.
 */
const shadowSuffixes: Record<string, string[]> = {
  fts3: ['content', 'segments', 'segdir', 'docsize', 'stat'],
  fts4: ['content', 'segments', 'segdir', 'docsize', 'stat'],
  fts5: ['data', 'idx', 'content', 'docsize', 'config'],
  rtree: ['node', 'rowid', 'parent'],
  rtree_i32: ['node', 'rowid', 'parent'],
  geopoly: ['node', 'rowid', 'parent'],
}

/** Modules whose tables show what other tables hold. */
const derivedModules = new Set(['fts5vocab', 'fts3aux', 'fts4aux', 'dbstat', 'sqlite_dbpage', 'bytecode'])

/** Modules whose rows have a rowid that is no column. */
export const hasHiddenRowid = (module: string): boolean => /^fts[345]$|^geopoly$/.test(module)

/** Undefined for an ordinary table. */
export function readVirtual(sql: string): Omit<VirtualTable, 'rows' | 'problem'> | undefined {
  const tokens = sqlTokens(sql)
  const words = tokens.slice(0, 2).map(({ text }) => text.toLowerCase())
  if (words.join(' ') !== 'create virtual') return undefined
  const using = tokens.findIndex(({ kind, text }) => kind === 'word' && /^using$/i.test(text))
  const module = (tokens[using + 1]?.text ?? '').toLowerCase()
  const options = splitTokens(tokens.slice(using + 3, -1)).map((part) => {
    const [name, equals, ...value] = part
    const last = value.at(-1)
    return equals?.text === '=' && name
      ? { name: name.text.toLowerCase(), value: last ? sql.slice(value[0]?.start, last.end) : '' }
      : undefined
  })
  const external = options.find((option) => option?.name === 'content')
  if (derivedModules.has(module)) return { module, content: 'elsewhere', contentTable: undefined }
  if (external === undefined || !module.startsWith('fts')) {
    return { module, content: 'own', contentTable: undefined }
  }
  const contentTable = unquoteSql(external.value)
  return contentTable === ''
    ? { module, content: 'index', contentTable: undefined }
    : { module, content: 'elsewhere', contentTable }
}

/** The virtual table whose shadow `name` is, or undefined: a table that an FTS names as its content never is one. */
export function shadowOwner(
  name: string,
  virtuals: { name: string; virtual: Pick<VirtualTable, 'module' | 'contentTable'> }[],
): string | undefined {
  const same = (a: string, b: string) => a.toLowerCase() === b.toLowerCase()
  if (virtuals.some(({ virtual }) => same(virtual.contentTable ?? '', name))) return undefined
  return virtuals.find((one) =>
    (shadowSuffixes[one.virtual.module] ?? []).some((suffix) => same(`${one.name}_${suffix}`, name)),
  )?.name
}
