import { hostOf } from '../address.ts'
import { parsePostgresUrl, type PostgresUrl } from '../url.ts'
import { directUrlOf, keepsSessions, pooledUrlOf, providerOf } from './find.ts'
import type { Fact } from './provider.ts'

/** What a database is about to be used for. */
export type Use = 'backup' | 'doctor' | 'graduate' | 'migrate' | 'pool'

/** Close to what the free plan holds: indexes and dead rows come on top of the rows. */
const nearlyFull = 0.8

/**
 * What the provider's documentation says that matters for a use, the most important first; empty where the provider is not
 * known. `text` names the provider and says where nothing confirmed it; `source` is the page.
 * @param sizeBytes of the rows that are there, or that are to come
 * @throws Failure OUTGROW_URL_INVALID
 */
export function notesFor(target: string | PostgresUrl, use: Use, sizeBytes = 0): Fact[] {
  const managed = providerOf(target)
  if (!managed) return []
  const { provider, endpoint } = managed
  const { free, pooling, sleeps, pauses, tls, role, limits, backups, network, unsupported } = provider
  const isFull = free !== undefined && sizeBytes > free.sizeBytes * nearlyFull
  const facts: Record<Use, (Fact | false | undefined)[]> = {
    backup: [unsupported, !keepsSessions(endpoint) && pooling, backups, role],
    doctor: [
      unsupported,
      isFull && free.fact,
      endpoint.pool !== 'none' && pooling,
      tls,
      sleeps,
      pauses,
      role,
      limits,
      backups,
    ],
    graduate: [
      isFull && free.fact,
      endpoint.pool !== 'none' && pooling,
      endpoint.isPrivate && network,
      sleeps,
      pauses,
    ],
    migrate: [isFull && free.fact, endpoint.pool !== 'none' && pooling, endpoint.isPrivate && network],
    pool: [unsupported, pooling, limits],
  }
  return facts[use]
    .filter((fact) => fact !== undefined && fact !== false)
    .map((fact) => worded(provider.title, fact))
}

/** The other hosts of the same database, in words without secrets; empty where the URL does not say. */
export function otherHosts(target: string | PostgresUrl): string[] {
  const [direct, pooled] = [directUrlOf(target), pooledUrlOf(target)].map((url) =>
    url === undefined ? undefined : hostOf(parsePostgresUrl(url)),
  )
  if (direct === pooled) return []
  return [
    ...(direct === undefined ? [] : [`direct: ${direct}`]),
    ...(pooled === undefined ? [] : [`pooled: ${pooled}`]),
  ]
}

function worded(title: string, fact: Fact): Fact {
  const doubt = fact.isUnconfirmed === true ? ' (not confirmed by its documentation)' : ''
  return { ...fact, text: `${title}: ${fact.text}${doubt}` }
}
