import { Failure } from '@outgrow/kit'
import type { OwnServer } from './own-server.ts'
import type { PgBackrestOptions } from './plan.ts'
import { repositoryLines } from './repository.ts'

/** pgbackrest.conf. Source of all settings: pgBackRest's Configuration Reference. */
export function configuration(server: OwnServer, options: PgBackrestOptions): string {
  const { repository, passphrase, stanza, keepFull, queueGib } = options
  const lines = [
    '# Written by outgrow backup init.',
    ...(passphrase === undefined
      ? []
      : ['# Contains the passphrase of the backups: owner root, group postgres, mode 0640.']),
    '[global]',
    ...repositoryLines(repository),
    ...(passphrase === undefined ? [] : ['repo1-cipher-type=aes-256-cbc', `repo1-cipher-pass=${passphrase}`]),
    '# One full backup a week: with these go the differential ones and the WAL.',
    `repo1-retention-full=${keepFull}`,
    'repo1-bundle=y',
    'compress-type=zst',
    'process-max=2',
    '# A backup begins with a checkpoint of its own, not with the next one that is due.',
    'start-fast=y',
    '# WAL is sent in parallel, by a process that waits for nobody.',
    'archive-async=y',
    '# While the repository is away, so much WAL waits; then it is dropped, and recovery needs the next backup.',
    `archive-push-queue-max=${queueGib}GiB`,
    'log-level-console=info',
    '',
    `[${stanza}]`,
    `pg1-path=${server.dataDirectory}`,
    `pg1-port=${server.port}`,
    ...(server.socketDirectory === undefined ? [] : [`pg1-socket-path=${server.socketDirectory}`]),
    '',
  ]
  const cut = lines.find((line) => /[\r\n]/.test(line))
  if (cut === undefined) return lines.join('\n')
  throw new Failure({
    code: 'OUTGROW_OPTION_INVALID',
    message: `The setting ${cut.slice(0, cut.indexOf('='))} contains a line break.`,
    why: 'Each setting of pgBackRest is one line.',
    fix: 'Correct the path, or the variable of the environment that it comes from.',
  })
}
