import type { ArchiveReadings } from './readings.ts'

/** Something that keeps a server from being restored to a time, with the way out. */
export interface ArchiveFinding {
  code: `OUTGROW_${string}`
  message: string
  fix: string
}

export interface ArchiveCheck {
  findings: ArchiveFinding[]
  /** What was seen and is as it should be. */
  facts: string[]
  /** What could not be looked at, and why. */
  unknown: string[]
}

/** Whose archive_command it should be. */
export interface ExpectedCommand {
  pattern: RegExp
  name: string
  /** What sets all of it up. */
  fix: string
}

/** Milliseconds after which a segment should have been archived. */
const lateMs = 5 * 60_000

/** What the readings of a server amount to. */
export function judgeArchiving(readings: ArchiveReadings, expected: ExpectedCommand): ArchiveCheck {
  const { archiveMode, isReplica } = readings
  const check: ArchiveCheck = { findings: [], facts: [], unknown: [] }
  if (isReplica) {
    check.unknown.push('The server is a replica: look at its primary, which archives.')
    return check
  }
  judgeSettings(readings, check)
  if (archiveMode === 'off') {
    check.findings.push({
      code: 'OUTGROW_ARCHIVE_OFF',
      message: 'archive_mode is off: what was written since the last backup is lost with the machine.',
      fix: expected.fix,
    })
    return check
  }
  check.facts.push(`archive_mode is ${archiveMode}.`)
  judgeCommand(readings, expected, check)
  judgeArchiver(readings, check)
  return check
}

function judgeSettings(
  { walLevel, maxWalSenders, pendingRestart }: ArchiveReadings,
  check: ArchiveCheck,
): void {
  const waiting = pendingRestart.filter((name) => /^(archive_mode|wal_level|max_wal_senders)$/.test(name))
  if (waiting.length > 0) {
    check.findings.push({
      code: 'OUTGROW_ARCHIVE_RESTART',
      message: `${waiting.join(', ')} was changed, but the server runs with the old value.`,
      fix: 'Restart the server.',
    })
  }
  if (walLevel === 'minimal') {
    check.findings.push({
      code: 'OUTGROW_ARCHIVE_WAL_LEVEL',
      message: 'wal_level is minimal: the WAL does not contain what recovery needs.',
      fix: "ALTER SYSTEM SET wal_level = 'replica', and restart the server.",
    })
  } else check.facts.push(`wal_level is ${walLevel}.`)
  if (maxWalSenders === 0) {
    check.findings.push({
      code: 'OUTGROW_ARCHIVE_SENDERS',
      message: 'max_wal_senders is 0, so there can be neither a replica nor a base backup.',
      fix: 'ALTER SYSTEM SET max_wal_senders = 10, and restart the server.',
    })
  }
}

/** The command itself is not shown: it may contain secrets. */
function judgeCommand(
  { archiveCommand }: ArchiveReadings,
  { pattern, name, fix }: ExpectedCommand,
  check: ArchiveCheck,
): void {
  if (pattern.test(archiveCommand)) {
    check.facts.push(`archive_command is ${name}.`)
    return
  }
  const found = archiveCommand === '' ? 'empty' : `another than ${name}`
  check.findings.push({ code: 'OUTGROW_ARCHIVE_COMMAND', message: `archive_command is ${found}.`, fix })
}

function judgeArchiver(readings: ArchiveReadings, check: ArchiveCheck): void {
  const { lastArchived, lastArchivedAt, lastFailed, lastFailedAt, waiting, now } = readings
  const isFailing = lastFailedAt !== null && (lastArchivedAt === null || lastFailedAt > lastArchivedAt)
  if (isFailing) {
    check.findings.push({
      code: 'OUTGROW_ARCHIVE_FAILING',
      message: `Archiving fails: ${lastFailed} at ${lastFailedAt.toISOString()}, and nothing was archived since.`,
      fix: 'Read the server’s log, where the archive command says what it cannot reach. It is tried again by itself.',
    })
  }
  if (waiting === null) check.unknown.push('How much WAL waits: GRANT pg_monitor to the role.')
  else if (!isFailing && waiting.oldestAt && now.getTime() - waiting.oldestAt.getTime() > lateMs) {
    check.findings.push({
      code: 'OUTGROW_ARCHIVE_LATE',
      message: `${waiting.count} files of WAL wait to be archived, the first since ${waiting.oldestAt.toISOString()}.`,
      fix: 'Look whether archive_command hangs (its process, the network), and whether it is slower than the server writes.',
    })
  }
  if (lastArchived !== null && lastArchivedAt !== null) {
    const minutes = Math.round((now.getTime() - lastArchivedAt.getTime()) / 60_000)
    check.facts.push(`The last WAL archived is ${lastArchived}, ${minutes} minutes ago.`)
  } else if (!isFailing) {
    check.findings.push({
      code: 'OUTGROW_ARCHIVE_NONE',
      message: 'The server has archived no WAL since its statistics began.',
      fix: 'SELECT pg_switch_wal(), and look again.',
    })
  }
}
