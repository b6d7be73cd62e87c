import { postgresStatements } from '@outgrow/databases'

/** When a statement of a dump runs. */
export type Phase =
  /** In its place: what is built. */
  | 'build'
  /** Once the rows were compared: nobody, not even their owner, may see all of them afterwards. */
  | 'row security'
  | 'owners'
  | 'grants'
  /** At the end: they would fire for all that comes before. */
  | 'event triggers'

export interface DumpStatement {
  text: string
  phase: Phase
  /** Without it the database holds the same: where the server refuses it, the rest goes on. */
  isOptional: boolean
}

/** The statements of a script of pg_dump's. What only the one who ran it needs is left out. */
export function dumpStatements(script: string): DumpStatement[] {
  return postgresStatements(script).flatMap(({ start, end, words }) => {
    const text = script.slice(start, end)
    if (isSetting(words)) return []
    const phase = phaseOf(words)
    return [{ text, phase, isOptional: (phase !== 'build' && phase !== 'row security') || isExtra(words) }]
  })
}

/** Timeouts are set for the connection already; some of them a server of another version does not know. */
function isSetting([first, second = '']: string[]): boolean {
  return (
    first === 'SET' &&
    (second.endsWith('_TIMEOUT') || second === 'CLIENT_MIN_MESSAGES' || second === 'ROW_SECURITY')
  )
}

function phaseOf(words: string[]): Phase {
  const [first, second, third] = words
  if (second === 'EVENT' && third === 'TRIGGER') return 'event triggers'
  if (first === 'COMMENT' && words[2] === 'EVENT' && words[3] === 'TRIGGER') return 'event triggers'
  if (first === 'CREATE' && second === 'POLICY') return 'row security'
  if (first === 'COMMENT' && third === 'POLICY') return 'row security'
  if (first === 'ALTER' && second === 'TABLE' && words.slice(-3).join(' ') === 'ROW LEVEL SECURITY')
    return 'row security'
  if (first === 'ALTER' && words.at(-2) === 'OWNER' && words.at(-1) === 'TO') return 'owners'
  if (first === 'GRANT' || first === 'REVOKE') return 'grants'
  if (first === 'ALTER' && second === 'DEFAULT' && third === 'PRIVILEGES') return 'grants'
  if (second === 'SESSION' && third === 'AUTHORIZATION') return 'grants'
  return 'build'
}

/** Often refused to roles of managed servers, which have made such a thing themselves, or do not let others make it. */
function isExtra([first, second, third]: string[]): boolean {
  if (second === 'PUBLICATION' || (first === 'SECURITY' && second === 'LABEL')) return true
  if (first === 'SET' && (second === 'DEFAULT_TABLESPACE' || second === 'DEFAULT_TABLE_ACCESS_METHOD'))
    return true
  return first === 'COMMENT' && (third === 'EXTENSION' || third === 'PUBLICATION' || third === 'SCHEMA')
}

/** The role that `ALTER … OWNER TO` names. */
export function ownerOf(statement: string): string | undefined {
  return / OWNER TO "((?:[^"]|"")+)"$/.exec(statement)?.[1]?.replaceAll('""', '"')
}
