import { dirname, relative } from 'node:path'
import type { OwnServer } from './own-server.ts'
import type { PgBackrestOptions } from './plan.ts'

/** RUNBOOK.md: the commands that install all of it, and those that restore, as they are run on the server. */
export function runbook(server: OwnServer, options: PgBackrestOptions): string {
  const { stanza, configPath, queueGib } = options
  const pgbackrest = `pgbackrest --config=${configPath} --stanza=${stanza}`
  const pgCtl = quoted(`${server.binaries}/pg_ctl`)
  const port = server.port === 65_535 ? 65_534 : server.port + 1
  const outside = settingsOutside(server)
  const psql = `psql${server.socketDirectory === undefined ? '' : ` -h ${quoted(server.socketDirectory)}`}`
  const start = (folder: string, more: string[]) =>
    `${pgCtl} start -w -t 86400 -D ${folder} -l ${folder}.log${more.length === 0 ? '' : ` -o "${more.join(' ')}"`}`
  return `# Backups of ${stanza}

Written by \`outgrow backup init\`. pgBackRest keeps full and differential backups and all WAL, so the server can be restored as
it was at any second since the oldest full backup.

## Install

As root, once:

\`\`\`sh
apt-get install -y pgbackrest
install -d -m 0755 ${dirname(configPath)}
install -o root -g postgres -m 0640 pgbackrest.conf ${configPath}
install -m 0644 pgbackrest-${stanza}-*.service pgbackrest-${stanza}-*.timer /etc/systemd/system/
\`\`\`

${options.repository.type === 'posix' ? `The folder ${options.repository.path} must belong to postgres.\n\n` : ''}As postgres: create the repository, then make the server archive.

\`\`\`sh
${pgbackrest} stanza-create
${psql} -p ${server.port} -X -v ON_ERROR_STOP=1 -f server.sql
\`\`\`

Restart the server if \`server.sql\` says so of a setting (\`systemctl restart postgresql\`). Then, as postgres:

\`\`\`sh
${pgbackrest} check
${pgbackrest} --type=full backup
\`\`\`

As root:

\`\`\`sh
systemctl daemon-reload
systemctl enable --now pgbackrest-${stanza}-full.timer pgbackrest-${stanza}-diff.timer pgbackrest-${stanza}-check.timer
\`\`\`

\`outgrow backup init --check\` looks at all of it, and tells what is missing.

## Restore to a time, beside the server

The server goes on. The copy listens on port ${port}, and has archiving off: a copy that archives would write into the
repository of the original. It has a spool of its own, because a restore empties the spool that it is given. As postgres, with the time in \`TARGET\` and an empty folder in \`COPY\`; the first command has what
was written until now archived:

\`\`\`sh
${pgbackrest} check
TARGET='2026-01-31 10:20:30+00'
COPY=/var/tmp/restored-${stanza}
install -d -m 0700 "$COPY" "$COPY".spool
${pgbackrest} --pg1-path="$COPY" --spool-path="$COPY".spool --archive-mode=off --type=time --target="$TARGET" --target-action=promote restore
${start('"$COPY"', [`-p ${port}`, '-c archive_mode=off', ...outside('$COPY')])}
\`\`\`

Look at it with \`${psql} -p ${port}\`; \`SELECT pg_is_in_recovery()\` says \`f\` once all is there. Take what you need from
it (\`pg_dump -p ${port} -t …\`), and stop it:

\`\`\`sh
${pgCtl} stop -m fast -D "$COPY"
\`\`\`

This is also the drill: do it once a month, and note how long it took.

## Restore to a time, in place

Everything after that time is gone from the server; its WAL stays in the repository. Stop what writes, then the server. As postgres:

\`\`\`sh
TARGET='2026-01-31 10:20:30+00'
${pgCtl} stop -m fast -D ${quoted(server.dataDirectory)}
${pgbackrest} --delta --type=time --target="$TARGET" --target-action=promote restore
${start(quoted(server.dataDirectory), outside(server.dataDirectory))}
\`\`\`

Where systemd runs the server, stop and start it with \`systemctl\` instead of \`pg_ctl\`. Then take a full backup.
If the stop hangs in archiving because the repository is away, stop it with \`-m immediate\`: what was committed is not lost.

Without \`--type=time\`, \`--target\` and \`--target-action\` it restores everything that was archived.

## What to watch

- \`pg_stat_archiver\`: \`failed_count\` rises while the repository cannot be reached. \`outgrow doctor\` and \`outgrow backup init --check\` read it.
- While it is away, WAL is kept on the server, ${queueGib} GiB at most (\`archive-push-queue-max\`). What is more is dropped, so that
  the disk does not fill: from there to the next backup nothing can be restored. Take a full backup as soon as it is back.
- The passphrase in ${configPath} is the key of all backups. Keep a copy of it where the server is not.
`
}

/** Options for a server whose configuration does not lie in its data directory, as on Debian. */
function settingsOutside({ dataDirectory, configFile, hbaFile }: OwnServer): (data: string) => string[] {
  if (!relative(dataDirectory, configFile).startsWith('..')) return () => []
  return (data) => [
    `-c config_file=${configFile}`,
    `-c hba_file=${hbaFile}`,
    `-c data_directory=${data}`,
    '-c external_pid_file=',
  ]
}

/** A word for a shell. */
function quoted(text: string): string {
  return /^[\w./-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`
}
