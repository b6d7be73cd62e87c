import { setTimeout as sleep } from 'node:timers/promises'
import type { SqlDriverAdapter, SqlQuery } from '@prisma/driver-adapter-utils'
import { messageOf } from '@outgrow/kit'
import { connectTimeoutMs } from '../address.ts'
import type { PostgresUrl } from '../url.ts'
import { isWaking } from '../waking.ts'

/**
 * The same adapter, over a server that closes connections which idle, restarts, or sleeps. Where no connection could be made,
 * nothing was sent: anything is tried again while the server wakes up. Where one was lost on the way, nobody knows whether the
 * statement ran: only what changes nothing is sent again, a plain read or a BEGIN.
 * @param connections of the pool
 */
export function reconnecting(
  adapter: SqlDriverAdapter,
  url: PostgresUrl,
  connections: number,
): SqlDriverAdapter {
  const again = async <Result>(isSafe: boolean, work: () => Promise<Result>): Promise<Result> => {
    const ends = performance.now() + connectTimeoutMs(url)
    // Every other connection of the pool may be as dead as the first.
    let left = connections
    for (let pauseMs = 50; ; pauseMs = Math.min(2 * pauseMs, 1000)) {
      try {
        return await work()
      } catch (error) {
        if (isLost(error)) {
          if (!isSafe || left-- === 0) throw error
        } else if (isUnmade(error) && isWaking(url, causeOf(error)) && performance.now() + pauseMs < ends) {
          await sleep(pauseMs)
        } else throw error
      }
    }
  }
  const startTransaction = adapter.startTransaction.bind(adapter)
  const queryRaw = adapter.queryRaw.bind(adapter)
  const executeRaw = adapter.executeRaw.bind(adapter)
  return Object.assign(adapter, {
    queryRaw: (query: SqlQuery) => again(isPlainRead(query.sql), () => queryRaw(query)),
    executeRaw: (query: SqlQuery) => again(false, () => executeRaw(query)),
    startTransaction: (...args: Parameters<typeof startTransaction>) => again(true, () => startTransaction(...args)),
  })
}

const clauses =
  /^(and|any|all|as|between|by|case|coalesce|count|avg|sum|min|max|distinct|else|exists|from|having|in|join|lateral|like|ilike|not|on|or|order|over|partition|select|then|using|values|when|where)$/i

/** Whether a statement changes nothing, however often it runs: a SELECT that locks nothing and calls no function but aggregates. */
export function isPlainRead(sql: string): boolean {
  if (!/^\s*SELECT\b/i.test(sql)) return false
  // Names and texts may hold anything.
  const bare = sql.replaceAll(/"(?:[^"]|"")*"/g, 'q').replaceAll(/'(?:[^']|'')*'/g, "''")
  if (/\$\w*\$|--|\/\*|\\|;\s*\S|\b(into|for\s+(no\s+key\s+)?(update|share|key\s+share))\b/i.test(bare)) return false
  return [...bare.matchAll(/([\w$]+)\s*\(/g)].every(([, name = '']) => clauses.test(name))
}

/** The connection was there, and is gone. */
function isLost(error: unknown): boolean {
  const { kind, originalCode } = causeOf(error)
  return (
    kind === 'ConnectionClosed' ||
    /^(57P01|57P02|EPIPE)$/.test(originalCode ?? '') ||
    /Connection terminated unexpectedly|not queryable|EPIPE|ECONNRESET/.test(messageOf(error))
  )
}

/** The connection was never there. */
function isUnmade(error: unknown): boolean {
  const { kind, originalCode } = causeOf(error)
  return kind === 'DatabaseNotReachable' || originalCode === '57P03'
}

interface Cause {
  kind?: string
  originalCode?: string
  code?: string
}

/** What the adapter says of an error. */
function causeOf(error: unknown): Cause {
  const cause = ((error as { cause?: Cause } | undefined)?.cause ?? error ?? {}) as Cause
  return cause.kind === 'DatabaseNotReachable' ? { ...cause, originalCode: 'ECONNREFUSED' } : cause
}
