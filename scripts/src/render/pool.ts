import { join } from 'node:path'
import type { CheckedPool, PoolFinding, PoolSetting, PreparedPool } from '@outgrow/operations'
import type { Outcome } from '../output/outcome.ts'
import { textTable, type Terminal } from '../output/terminal.ts'

export interface PoolDocument extends Outcome {
  /** Server connections of each pool; null with --check. */
  poolSize: number | null
  serverConnections: number | null
  clientConnections: number | null
  settings: PoolSetting[]
  files: { path: string; mode: string; isWritten: boolean; text: string }[]
  sql: { database: string; text: string }[]
  urls: Record<string, string>
  notes: string[]
  /** With --check. */
  version: string | null
  pools: Record<string, string | undefined>[]
  findings: PoolFinding[]
  unknown: string[]
}

export const blankPool: Omit<PoolDocument, keyof Outcome> & { command: string } = {
  command: 'pool',
  poolSize: null,
  serverConnections: null,
  clientConnections: null,
  settings: [],
  files: [],
  sql: [],
  urls: {},
  notes: [],
  version: null,
  pools: [],
  findings: [],
  unknown: [],
}

/** What was computed, without a secret. */
export function poolDocument(
  { plan, files, sql, urls, notes, request }: PreparedPool,
  folder: string | undefined,
): Omit<PoolDocument, keyof Outcome> {
  const { poolSize, serverConnections, clientConnections, settings } = plan
  return {
    ...blankPool,
    poolSize,
    serverConnections,
    clientConnections,
    settings,
    files: files.map(({ name, mode, shown }) => ({
      path: join(folder ?? request.folder, name),
      mode: mode.toString(8).padStart(4, '0'),
      isWritten: folder !== undefined,
      text: shown,
    })),
    sql,
    urls: Object.fromEntries(urls.map(({ name, url }) => [name, url])),
    notes,
  }
}

/** The numbers with their reasons, then the files, or what would be in them. */
export function printPool(
  terminal: Terminal,
  { plan, files, urls, notes, request }: PreparedPool,
  folder: string | undefined,
): void {
  for (const { name, value, why } of plan.settings) {
    terminal.line(terminal.style('bold', `${name} = ${value}`))
    terminal.line(`  ${why}`)
  }
  terminal.line(
    `${plan.clientConnections} connections of clients over at most ${plan.serverConnections} of the server.`,
  )
  if (folder === undefined)
    for (const { name, shown } of files) {
      terminal.line()
      terminal.line(terminal.style('bold', `-- ${name}`))
      for (const line of shown.trimEnd().split('\n')) terminal.line(line)
    }
  terminal.line()
  for (const note of notes) terminal.line(`${terminal.style('cyan', 'note')}  ${note}`)
  if (folder === undefined) return terminal.line('Nothing was written: pass --dir for that.')
  const rows = files.map(({ name, mode }) => [join(folder, name), mode.toString(8).padStart(4, '0')])
  for (const line of textTable(['written', 'mode'], rows)) terminal.line(line)
  for (const { name, url } of urls) terminal.line(`${name}  ${url}`)
  terminal.line(
    `Next: psql -v ON_ERROR_STOP=1 -f ${join(folder, 'setup.sql')} on the server, as a superuser; give pgbouncer.ini and userlist.txt to the user that pgbouncer runs as; start it; then outgrow pool --check --processes ${request.processes}.`,
  )
}

export function printCheckedPool(
  terminal: Terminal,
  { version, pools, findings, unknown }: CheckedPool,
): void {
  if (version !== null) terminal.line(version)
  const columns = [
    'database',
    'user',
    'pool_mode',
    'cl_active',
    'cl_waiting',
    'sv_active',
    'sv_idle',
    'maxwait',
  ]
  const rows = pools.map((pool) => columns.map((name) => pool[name] ?? ''))
  if (rows.length > 0) for (const line of textTable(columns, rows)) terminal.line(`  ${line}`)
  for (const { code, fact, why, fix } of findings) {
    terminal.line(`${terminal.style('yellow', code)}  ${fact}`)
    terminal.line(`  why: ${why}`)
    terminal.line(`  fix: ${fix}`)
  }
  for (const one of unknown) terminal.line(`${terminal.style('gray', 'unknown')}  ${one}`)
  const rest = unknown.length === 0 ? '' : ` ${unknown.length} things were not measured.`
  terminal.line(findings.length === 0 ? `Nothing was found.${rest}` : `${findings.length} found.${rest}`)
}
