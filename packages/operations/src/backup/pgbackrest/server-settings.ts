import { quoteLiteral } from '@outgrow/databases'
import type { OwnServer } from './own-server.ts'
import type { PgBackrestOptions } from './plan.ts'

interface Setting {
  name: string
  value: string
  needsRestart: boolean
  why: string
}

/** The statements that make the server archive, for psql: ALTER SYSTEM runs in no transaction. */
export function serverSettings(server: OwnServer, options: PgBackrestOptions): string {
  return [
    '-- Written by outgrow backup init. Run it as a superuser: psql -X -v ON_ERROR_STOP=1 -f server.sql',
    ...settingsFor(server, options).flatMap(({ name, value, needsRestart, why }) => [
      `-- ${why}${needsRestart ? ' Takes effect with the next restart.' : ''}`,
      `ALTER SYSTEM SET ${name} = ${quoteLiteral(value)};`,
    ]),
    'SELECT pg_reload_conf();',
    '',
  ].join('\n')
}

/** Names of the settings that only a restart changes. */
export function settingsInNeedOfRestart(server: OwnServer): string[] {
  return restarting(server).map(({ name }) => name)
}

/** The command that hands a segment of WAL to pgBackRest. */
function archiveCommand({ configPath, stanza }: PgBackrestOptions): string {
  return `pgbackrest --config=${configPath} --stanza=${stanza} archive-push %p`
}

function settingsFor(server: OwnServer, options: PgBackrestOptions): Setting[] {
  return [
    ...restarting(server),
    {
      name: 'archive_command',
      value: archiveCommand(options),
      needsRestart: false,
      why: 'Hands each segment of WAL to pgBackRest.',
    },
    {
      name: 'archive_timeout',
      value: '60s',
      needsRestart: false,
      why: 'At most a minute of changes is lost with the machine.',
    },
  ]
}

function restarting({ archiveMode, walLevel, maxWalSenders }: OwnServer): Setting[] {
  const settings: Setting[] = []
  if (archiveMode === 'off')
    settings.push({ name: 'archive_mode', value: 'on', needsRestart: true, why: 'Archives WAL.' })
  if (walLevel === 'minimal') {
    settings.push({
      name: 'wal_level',
      value: 'replica',
      needsRestart: true,
      why: 'It is minimal now: too little to recover from.',
    })
  }
  if (maxWalSenders === 0) {
    settings.push({
      name: 'max_wal_senders',
      value: '10',
      needsRestart: true,
      why: 'It is 0 now; replicas and base backups need some.',
    })
  }
  return settings
}
