import { Failure } from '@outgrow/kit'
import { configuration } from './configuration.ts'
import type { OwnServer } from './own-server.ts'
import type { Repository } from './repository.ts'
import { runbook } from './runbook.ts'
import { serverSettings, settingsInNeedOfRestart } from './server-settings.ts'
import { units } from './units.ts'

export interface PgBackrestOptions {
  repository: Repository
  /** Encrypts the repository; undefined leaves it readable. */
  passphrase: string | undefined
  /** pgBackRest's name for the server. */
  stanza: string
  /** Where pgbackrest.conf will lie on the server. */
  configPath: string
  /** Full backups that are kept, one a week. */
  keepFull: number
  /** GiB of WAL that may wait while the repository is away; what is more is dropped, so that the disk does not fill. */
  queueGib: number
}

/** A file to be written. `isSecret` ones are for their owner and group only. */
export interface PlannedFile {
  name: string
  text: string
  isSecret: boolean
}

export interface PgBackrestPlan {
  files: PlannedFile[]
  /** Settings that take effect with the next start of the server. */
  restart: string[]
  notes: string[]
}

/**
 * All files that make an own server archive with pgBackRest, and restore from there.
 * @throws Failure OUTGROW_OPTION_INVALID
 */
export function planPgBackrest(server: OwnServer, options: PgBackrestOptions): PgBackrestPlan {
  if (!/^[a-z0-9][a-z0-9_-]{0,62}$/.test(options.stanza)) {
    throw invalid(`--stanza ${options.stanza} is not a name`, 'Use lower-case letters, digits, _ and -.')
  }
  if (!/^\/[\w./-]+\.conf$/.test(options.configPath)) {
    throw invalid(
      `--config-path ${options.configPath} cannot be used in archive_command`,
      'Use an absolute path to a .conf file, made of letters, digits, dots, _ and -.',
    )
  }
  return {
    files: [
      { name: 'pgbackrest.conf', text: configuration(server, options), isSecret: true },
      { name: 'server.sql', text: serverSettings(server, options), isSecret: false },
      ...units(options).map((unit) => ({ ...unit, isSecret: false })),
      { name: 'RUNBOOK.md', text: runbook(server, options), isSecret: false },
    ],
    restart: settingsInNeedOfRestart(server),
    notes: notesOn(server, options),
  }
}

function notesOn(server: OwnServer, { repository, passphrase }: PgBackrestOptions): string[] {
  const isOthers = server.archiveCommand !== '' && !server.archiveCommand.includes('pgbackrest')
  return [
    ...(server.archiveMode !== 'off' && isOthers && server.archiveCommand !== '(disabled)'
      ? ['The server archives with another command already. server.sql replaces it.']
      : []),
    ...(repository.type === 'posix'
      ? [
          `${repository.path} must be on another machine or disk than the server, or it is lost together with it.`,
        ]
      : []),
    ...(passphrase === undefined ? ['The backups will not be encrypted.'] : []),
  ]
}

function invalid(message: string, fix: string): Failure {
  return new Failure({ code: 'OUTGROW_OPTION_INVALID', message: `${message}.`, fix })
}
