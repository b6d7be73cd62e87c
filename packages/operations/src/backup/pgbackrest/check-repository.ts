import { execFile } from 'node:child_process'
import { closeSync, openSync, readSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { messageOf } from '@outgrow/kit'
import { z } from 'zod'
import type { ArchiveCheck } from '../archiving/judge.ts'

const run = promisify(execFile)

/** A backup that is due every day is late after this. */
const lateMs = 26 * 3_600_000

const info = z.array(
  z.object({
    name: z.string(),
    status: z.object({ code: z.number(), message: z.string() }),
    backup: z.array(
      z.object({
        label: z.string(),
        type: z.string(),
        error: z.boolean().nullish(),
        timestamp: z.object({ stop: z.number() }),
      }),
    ),
  }),
)

export interface RepositoryRequest {
  configPath: string
  stanza: string
  dataDirectory: string
  systemIdentifier: string
  now: Date
  signal: AbortSignal
}

/** Asks pgBackRest itself, where it is installed beside the server: what is in the repository, and whether WAL reaches it. */
export async function checkRepository(request: RepositoryRequest): Promise<ArchiveCheck> {
  const check: ArchiveCheck = { findings: [], facts: [], unknown: [] }
  const owner = ownerOf(request)
  if (owner === undefined) {
    check.unknown.push('The repository: run this on the server’s machine, as root or as its account.')
    return check
  }
  const asked = await pgbackrest(request, owner, ['info', '--output=json', '--log-level-console=off'])
  if (!asked.ran) {
    check.unknown.push(`The repository: ${asked.said}`)
    return check
  }
  if (asked.failed) {
    check.findings.push({
      code: 'OUTGROW_PGBACKREST_FAILED',
      message: `pgbackrest info failed: ${asked.said}`,
      fix: `Correct ${request.configPath}, and see that the account of the server can read it.`,
    })
    return check
  }
  judgeInfo(asked.said, request, check)
  if (check.findings.length > 0) return check
  const reached = await pgbackrest(request, owner, ['check', '--log-level-console=error'])
  if (reached.failed) {
    check.findings.push({
      code: 'OUTGROW_PGBACKREST_FAILED',
      message: `pgbackrest check failed: ${reached.said}`,
      fix: 'Follow what it says: a segment of WAL did not reach the repository.',
    })
  } else check.facts.push('pgbackrest check: a segment of WAL reached the repository.')
  return check
}

/** What `pgbackrest info` amounts to. */
function judgeInfo(json: string, { stanza, now }: RepositoryRequest, check: ArchiveCheck): void {
  const parsed = info.safeParse(parseJson(json))
  if (!parsed.success) {
    check.unknown.push('The repository: the answer of pgbackrest info cannot be read.')
    return
  }
  const found = parsed.data.find(({ name }) => name === stanza)
  const whole = found?.backup.filter(({ error }) => error !== true) ?? []
  const newest = whole.toSorted((one, other) => other.timestamp.stop - one.timestamp.stop)[0]
  if (found === undefined || newest === undefined) {
    check.findings.push({
      code: 'OUTGROW_PGBACKREST_NO_BACKUP',
      message: `The repository has no backup of ${stanza}${found ? `: ${found.status.message}` : ''}.`,
      fix: `pgbackrest --stanza=${stanza} --type=full backup, after stanza-create; RUNBOOK.md has both.`,
    })
    return
  }
  const ageMs = now.getTime() - newest.timestamp.stop * 1000
  if (ageMs > lateMs) {
    check.findings.push({
      code: 'OUTGROW_PGBACKREST_OLD',
      message: `The newest backup, ${newest.label}, is ${Math.round(ageMs / 3_600_000)} hours old.`,
      fix: `systemctl list-timers 'pgbackrest-*', and journalctl -u 'pgbackrest-${stanza}-backup@*'.`,
    })
  } else check.facts.push(`The newest backup is ${newest.label} (${newest.type}).`)
}

interface Answer {
  /** Whether it could be started at all. */
  ran: boolean
  failed: boolean
  said: string
}

/** Never as root: what it would create in the spool and the logs, the server could not write to. */
async function pgbackrest(
  { configPath, stanza, signal }: RepositoryRequest,
  owner: { uid: number; gid: number },
  args: string[],
): Promise<Answer> {
  const as = process.getuid?.() === 0 ? owner : {}
  const own = Object.entries(process.env).filter(
    ([name]) => name === 'PATH' || name.startsWith('PGBACKREST_'),
  )
  const env = { ...Object.fromEntries(own), LC_ALL: 'C' }
  try {
    const { stdout } = await run('pgbackrest', [`--config=${configPath}`, `--stanza=${stanza}`, ...args], {
      ...as,
      env,
      signal,
      cwd: '/',
    })
    return { ran: true, failed: false, said: stdout }
  } catch (error) {
    signal.throwIfAborted()
    if ((error as NodeJS.ErrnoException).code === 'ENOENT')
      return { ran: false, failed: true, said: 'pgbackrest is not installed here' }
    const { stderr, stdout } = error as { stderr?: string; stdout?: string }
    const lines = `${stderr ?? ''}\n${stdout ?? ''}`.split('\n').filter((line) => line.trim() !== '')
    return { ran: true, failed: true, said: lines.slice(0, 3).join(' ') || messageOf(error) }
  }
}

/** The account of the server; undefined unless it is this machine’s: other machines have a folder of that name, too. */
function ownerOf({
  dataDirectory,
  systemIdentifier,
}: RepositoryRequest): { uid: number; gid: number } | undefined {
  try {
    const file = openSync(join(dataDirectory, 'global/pg_control'), 'r')
    try {
      const identifier = Buffer.alloc(8)
      readSync(file, identifier, 0, 8, 0)
      if (identifier.readBigUInt64LE().toString() !== systemIdentifier) return undefined
    } finally {
      closeSync(file)
    }
    const { uid, gid } = statSync(dataDirectory)
    return { uid, gid }
  } catch {
    return undefined
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
