import { judgeArchiving, type ArchiveCheck } from '../archiving/judge.ts'
import { readArchiving } from '../archiving/readings.ts'
import { checkRepository } from './check-repository.ts'
import { refuseProvider } from './own-server.ts'

const expected = {
  pattern: /\bpgbackrest\b.*\barchive-push\b/,
  name: 'pgBackRest’s',
  fix: 'Run server.sql of `outgrow backup init`, and restart the server if it says so.',
}

/**
 * Looks at a running server: whether its WAL is archived by pgBackRest, and reaches the repository.
 * @throws Failure OUTGROW_BACKUP_MANAGED, OUTGROW_POSTGRES_UNREACHABLE
 */
export async function checkServer(
  url: string,
  options: { configPath: string; stanza: string; signal: AbortSignal },
): Promise<ArchiveCheck> {
  refuseProvider(url)
  const readings = await readArchiving(url)
  const server = judgeArchiving(readings, expected)
  const repository = await checkRepository({ ...options, ...readings })
  return {
    findings: [...server.findings, ...repository.findings],
    facts: [...server.facts, ...repository.facts],
    unknown: [...server.unknown, ...repository.unknown],
  }
}
