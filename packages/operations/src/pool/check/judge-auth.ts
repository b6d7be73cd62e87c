import type { Judgement, PoolReadings } from './pool-readings.ts'

/** Whether the pooler can ask for passwords wherever a client may go. */
export function judgeAuth({ config, authQuery }: PoolReadings): Judgement {
  const user = config.get('auth_user') ?? ''
  if (user === '') return { findings: [], unknown: [] }
  const within = (state: (typeof authQuery)[number]['state']) =>
    authQuery.filter((one) => one.state === state).map(({ database }) => database)
  const [missing, denied, unknown] = [within('missing'), within('denied'), within('unknown')]
  return {
    findings:
      missing.length + denied.length === 0
        ? []
        : [
            {
              code: 'OUTGROW_POOL_AUTH_QUERY',
              fact: [
                ...(missing.length > 0 ? [`auth_query cannot run in ${missing.join(', ')}`] : []),
                ...(denied.length > 0 ? [`${user} may not run auth_query in ${denied.join(', ')}`] : []),
              ].join('; '),
              why: 'The pooler asks in the database that its client wants: nobody can log in there.',
              fix: 'Make its function in each database, and grant it: outgrow pool --databases … writes the statements.',
            },
          ],
    unknown: [
      ...(authQuery.length === 0 ? ['auth_query: pass --database, or set DIRECT_URL'] : []),
      ...(unknown.length > 0 ? [`auth_query in ${unknown.join(', ')}, which cannot be asked`] : []),
    ],
  }
}
