import type { SqlDriverAdapter, SqlQuery } from '@prisma/driver-adapter-utils'
import { messageOf } from '@outgrow/kit'

/** A connection that was dead before says so within a round trip; one that a long statement kills takes longer. */
const deadMs = 1000

/**
 * The same adapter, over a server that closes connections and restarts. Where one is found dead, nobody knows whether the
 * statement ran: only what changes nothing is sent again, a plain read or a BEGIN. One that ran for a while and then lost its
 * connection is not: somebody may have ended it, or it may have ended the server.
 * @param connections of the pool: every other one may be as dead as the first
 */
export function reconnecting(adapter: SqlDriverAdapter, connections: number): SqlDriverAdapter {
  const again = async <Result>(work: () => Promise<Result>): Promise<Result> => {
    for (let left = connections; ; left--) {
      const sent = performance.now()
      try {
        return await work()
      } catch (error) {
        if (left <= 0 || !isLost(error) || performance.now() - sent > deadMs) throw error
      }
    }
  }
  const startTransaction = adapter.startTransaction.bind(adapter)
  const queryRaw = adapter.queryRaw.bind(adapter)
  return Object.assign(adapter, {
    queryRaw: (query: SqlQuery) => (isPlainRead(query.sql) ? again(() => queryRaw(query)) : queryRaw(query)),
    startTransaction: (...args: Parameters<typeof startTransaction>) =>
      again(() => startTransaction(...args)),
  })
}

const clauses =
  /^(and|any|all|as|between|by|case|coalesce|count|avg|sum|min|max|distinct|else|exists|from|having|in|join|lateral|like|ilike|not|on|or|order|over|partition|select|then|using|values|when|where)$/i

/**
 * Whether a statement changes nothing, however often it runs: a SELECT that locks nothing and calls no function but
 * aggregates. What a view, an operator or a cast calls is not seen, nor what somebody named like an aggregate and put into
 * the search path: they are taken not to write.
 */
export function isPlainRead(sql: string): boolean {
  if (!/^\s*SELECT\b/i.test(sql) || sql.includes('\\')) return false
  // Names and texts may hold anything, each other's quotes too.
  const bare = sql.replaceAll(/"(?:[^"]|"")*"|'(?:[^']|'')*'/g, (quoted) =>
    quoted.startsWith('"') ? 'q' : "''",
  )
  if (!/^\p{ASCII}*$/u.test(bare)) return false // Postgres takes any of the rest for letters
  if (/\$\w*\$|--|\/\*|;\s*\S|\b(into|for\s+(no\s+key\s+)?(update|share|key\s+share))\b/i.test(bare))
    return false
  // With a schema before it, a name is anybody's function.
  return [...bare.matchAll(/(\.\s*)?([\w$]+)\s*\(/g)].every(
    ([, dot, name = '']) => dot === undefined && clauses.test(name),
  )
}

/** The connection is gone. */
function isLost(error: unknown): boolean {
  const { kind } = ((error as { cause?: unknown } | undefined)?.cause ?? {}) as { kind?: string }
  return (
    kind === 'ConnectionClosed' ||
    /Connection terminated unexpectedly|not queryable|EPIPE|ECONNRESET/.test(messageOf(error))
  )
}
