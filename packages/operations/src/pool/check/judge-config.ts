import { versionOf } from './version.ts'
import type { Judgement, PoolFinding, PoolReadings } from './pool-readings.ts'

/** What the pooler's settings say: its mode, its timeouts, its version. */
export function judgeConfig(readings: PoolReadings): Judgement {
  const { pooler, config } = readings
  const version = versionOf(pooler.VERSION?.[0]?.version)
  const hasConfig = config.size > 0
  return {
    findings: [
      ...modes(readings),
      ...(hasConfig ? [...startup(config), ...timeouts(config), ...prepared(config, version)] : []),
      ...(version && isOlder(version, [1, 25, 2]) ? [old(version)] : []),
    ],
    unknown: [
      ...(hasConfig
        ? []
        : ['the settings: SHOW CONFIG is refused; the user must be in admin_users or stats_users']),
      ...(version ? [] : ['the version: SHOW VERSION was not answered']),
    ],
  }
}

type Version = [number, number, number]

function isOlder(one: Version, other: Version): boolean {
  const at = one.findIndex((part, index) => part !== other[index])
  return at >= 0 && (one[at] as number) < (other[at] as number)
}

/** A database’s and a user’s mode stand above that of the configuration; SHOW POOLS has what came of it. */
function modes({ pooler, config }: PoolReadings): PoolFinding[] {
  const named = [
    ...(config.has('pool_mode') ? [['pool_mode', config.get('pool_mode')] as const] : []),
    ...[...(pooler.DATABASES ?? []), ...(pooler.POOLS ?? [])].map(
      (row) => [`database ${row.database ?? row.name}`, row.pool_mode, row.name ?? row.database] as const,
    ),
    ...(pooler.USERS ?? []).map((row) => [`user ${row.name}`, row.pool_mode, row.name] as const),
  ]
  const wrong = named.filter(
    ([, mode, name]) => name !== 'pgbouncer' && (mode === 'session' || mode === 'statement'),
  )
  if (wrong.length === 0) return []
  const facts = new Set(wrong.map(([what, mode]) => `${what} is in ${mode} mode`))
  return [
    {
      code: 'OUTGROW_POOL_MODE',
      fact: `${[...facts].join(', ')}.`,
      why: 'In session mode each client keeps a server connection for as long as it is connected, so the pool serves as few as it has connections. In statement mode there are no transactions.',
      fix: 'Set pool_mode = transaction, and no other mode for a database or a user.',
    },
  ]
}

function startup(config: Map<string, string>): PoolFinding[] {
  const ignored = (config.get('ignore_startup_parameters') ?? '').split(',').map((name) => name.trim())
  const dropped = ignored.filter((name) => /^(options|timezone)$/i.test(name))
  if (dropped.length === 0) return []
  return [
    {
      code: 'OUTGROW_POOL_OPTIONS_IGNORED',
      fact: `ignore_startup_parameters has ${dropped.join(' and ')}.`,
      why: 'What a client asks for when it connects, such as timezone=UTC, is dropped in silence.',
      fix: "Take it out, and set what sessions need for the role: ALTER ROLE … SET timezone = 'UTC'.",
    },
  ]
}

function timeouts(config: Map<string, string>): PoolFinding[] {
  const seconds = (name: string) => Number(config.get(name) ?? Number.NaN)
  const wrong = [
    ...(seconds('server_lifetime') === 0 || seconds('server_lifetime') > 86_400
      ? [`server_lifetime is ${config.get('server_lifetime')} s`]
      : []),
    ...(seconds('server_idle_timeout') === 0 ? ['server_idle_timeout is 0'] : []),
    ...(seconds('idle_transaction_timeout') === 0 ? ['idle_transaction_timeout is 0'] : []),
    // The client closes what idles for ten seconds by itself.
    ...(seconds('client_idle_timeout') > 0 && seconds('client_idle_timeout') < 15
      ? [`client_idle_timeout is ${config.get('client_idle_timeout')} s`]
      : []),
  ]
  if (wrong.length === 0) return []
  return [
    {
      code: 'OUTGROW_POOL_TIMEOUTS',
      fact: `${wrong.join(', ')}.`,
      why: 'Server connections that are never replaced keep their memory and the settings of their first day; a transaction that nobody ends keeps its server connection; a client that is closed while it rests meets an error.',
      fix: 'Set server_lifetime = 3600, server_idle_timeout = 600, idle_transaction_timeout = 60, and client_idle_timeout = 0.',
    },
  ]
}

function prepared(config: Map<string, string>, version: Version | undefined): PoolFinding[] {
  const most = config.get('max_prepared_statements')
  const isReset = config.get('server_reset_query_always') === '1'
  const none = version && !isOlder(version, [1, 21, 0]) && most === '0'
  return [
    ...(none
      ? [
          {
            code: 'OUTGROW_POOL_PREPARED' as const,
            fact: 'max_prepared_statements is 0.',
            why: 'A named prepared statement fails, or meets another one of its name, as soon as the next transaction gets another server connection. Prisma’s adapter names none unless it is told to; other clients do.',
            fix: 'Set max_prepared_statements = 200.',
          },
        ]
      : []),
    ...(isReset
      ? [
          {
            code: 'OUTGROW_POOL_PREPARED' as const,
            fact: 'server_reset_query_always is on.',
            why: 'DISCARD ALL after each transaction takes a round trip more, and drops every prepared statement.',
            fix: 'Set server_reset_query_always = 0.',
          },
        ]
      : []),
  ]
}

function old(version: Version): PoolFinding {
  const lacks = [
    ...(isOlder(version, [1, 20, 0]) ? ['1.20 lets clients ask for a time zone (options)'] : []),
    ...(isOlder(version, [1, 21, 0]) ? ['1.21 has named prepared statements'] : []),
    '1.25.2 mends a crash that anybody who can connect could cause without a password (CVE-2026-6664)',
  ]
  return {
    code: 'OUTGROW_POOL_VERSION',
    fact: `This is pgbouncer ${version.join('.')}.`,
    why: `${lacks.join('; ')}.`,
    fix: 'Install pgbouncer 1.25.2 or newer, from PGDG’s repository where the distribution has none. Until then let nobody but the application reach it.',
  }
}
