import { Failure } from '@outgrow/kit'
import { hostOf } from '../address.ts'
import { parsePostgresUrl } from '../url.ts'
import { directUrlOf, providerOf } from './find.ts'

/** What needs sessions of its own, and why. */
const reasons = {
  migrations: 'Migrations need a session of their own, with its time zone and its search path.',
  backup: 'A backup and a restore need sessions of their own: settings and COPY must stay on one connection.',
  move: 'A move needs its own sessions: settings and COPY must stay on one connection.',
} as const

/**
 * Refuses, by its name alone and before anything is asked, a host that is a pooler in transaction mode, and a provider on
 * which this product does not work.
 * @throws Failure OUTGROW_TARGET_POOLED, OUTGROW_PROVIDER_UNSUPPORTED, OUTGROW_URL_INVALID
 */
export function requireDirect(target: string, purpose: keyof typeof reasons): void {
  const managed = providerOf(target)
  if (!managed) return
  const { provider, endpoint } = managed
  if (provider.unsupported) {
    const { text, isUnconfirmed, source } = provider.unsupported
    throw new Failure({
      code: 'OUTGROW_PROVIDER_UNSUPPORTED',
      message: `${provider.title} is not supported.`,
      why: `${text}${isUnconfirmed === true ? ' (Not confirmed by its documentation.)' : ''} ${source}`,
      fix: 'Pass another Postgres; docs/providers.md lists those that are known.',
    })
  }
  if (endpoint.pool !== 'transaction') return
  const direct = directUrlOf(target)
  throw new Failure({
    code: 'OUTGROW_TARGET_POOLED',
    message: `${hostOf(parsePostgresUrl(target))} is ${provider.title}’s pooled host.`,
    why: reasons[purpose],
    fix: `Pass the direct URL instead: ${direct === undefined ? provider.whereDirect : `the same URL with ${hostOf(parsePostgresUrl(direct))}`}. Keep the pooled one for the application.`,
  })
}
