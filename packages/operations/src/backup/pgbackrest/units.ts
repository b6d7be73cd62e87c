import type { PgBackrestOptions } from './plan.ts'

/** systemd's services and timers: a full backup a week, a differential one on the other days, a check each hour. */
export function units({ stanza, configPath }: PgBackrestOptions): { name: string; text: string }[] {
  const name = `pgbackrest-${stanza}`
  const pgbackrest = `/usr/bin/pgbackrest --config=${configPath} --stanza=${stanza}`
  return [
    {
      name: `${name}-backup@.service`,
      text: service(`pgBackRest: %i backup of ${stanza}`, `${pgbackrest} --type=%i backup`),
    },
    {
      name: `${name}-full.timer`,
      text: timer('full backup every Sunday', 'Sun *-*-* 03:00:00', `${name}-backup@full.service`),
    },
    {
      name: `${name}-diff.timer`,
      text: timer(
        'differential backup on all other days',
        'Mon..Sat *-*-* 03:00:00',
        `${name}-backup@diff.service`,
      ),
    },
    {
      name: `${name}-check.service`,
      text: service(
        `pgBackRest: a segment of WAL of ${stanza} reaches the repository`,
        `${pgbackrest} check`,
      ),
    },
    {
      name: `${name}-check.timer`,
      text: timer('check every hour', '*-*-* *:30:00', `${name}-check.service`),
    },
  ]
}

function service(description: string, command: string): string {
  return `# Written by outgrow backup init.
[Unit]
Description=${description}
Wants=network-online.target
After=network-online.target postgresql.service

[Service]
Type=oneshot
User=postgres
ExecStart=${command}
`
}

function timer(description: string, calendar: string, unit: string): string {
  return `# Written by outgrow backup init.
[Unit]
Description=pgBackRest: ${description}

[Timer]
OnCalendar=${calendar}
RandomizedDelaySec=5min
Persistent=true
Unit=${unit}

[Install]
WantedBy=timers.target
`
}
