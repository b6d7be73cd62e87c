import { execFileSync } from 'node:child_process'
import { join } from 'node:path'
import { approachNames, type Approach, type ApproachName, type Work } from './approach.ts'
import { csvPipe } from './csv-pipe.ts'
import { pgloader } from './pgloader.ts'
import { measure, runWhole } from './process-usage.ts'

const bin = join(import.meta.dirname, '../../scripts/bin/outgrow.mjs')

export const approaches: Record<ApproachName, (work: Work) => Approach> = {
  outgrow: (work) => ({ on: 'empty', run: outgrow(work, [bin, 'migrate']) }),
  'outgrow verify': (work) => ({ on: 'filled', run: outgrow(work, [bin, 'verify']) }),
  'outgrow by driver': (work) => ({
    on: 'empty',
    run: outgrow(work, [bin, 'migrate', '--reader', 'driver']),
  }),
  'outgrow unverified': (work) => ({
    on: 'empty',
    run: outgrow(work, [join(import.meta.dirname, 'unverified-move.ts')]),
  }),
  limit,
  pgloader,
  'sqlite3 csv to psql': csvPipe,
}

/** Programs that have to be installed. */
const needs: Partial<Record<ApproachName, string[]>> = {
  pgloader: ['pgloader', 'psql', 'sqlite3'],
  'sqlite3 csv to psql': ['psql', 'sqlite3'],
}

/**
 * The approaches that were asked for and can run here.
 * @param only undefined: all
 * @throws Error where that cannot be, in words for the user
 */
export function chooseApproaches(only: ApproachName[] | undefined, skip: ApproachName[]): ApproachName[] {
  const chosen = approachNames.filter(
    (name) => (only ?? approachNames).includes(name) && !skip.includes(name),
  )
  const lacking = chosen.filter((name) => !(needs[name] ?? []).every(isInstalled))
  const [wanted] = lacking.filter((name) => only?.includes(name))
  if (wanted !== undefined) throw new Error(`${wanted} needs ${(needs[wanted] ?? []).join(', ')}.`)
  if (chosen.includes('outgrow verify') && !chosen.includes('outgrow'))
    throw new Error('outgrow verify reads what outgrow has moved: choose both, or neither.')
  return chosen.filter((name) => !lacking.includes(name))
}

function outgrow({ file, schema, folder, signal }: Work, command: string[]): Approach['run'] {
  const args = ['--from', file, '--schema', schema, '--work-dir', join(folder, 'work'), '--json']
  return (url) => measure(process.execPath, [...command, ...args], { env: { POSTGRES_URL: url }, signal })
}

function limit({ file, schema, ddl, folder, signal }: Work): Approach {
  const rendered = join(folder, 'export')
  const command = [join(import.meta.dirname, 'limit.ts'), rendered, ddl]
  return {
    on: 'empty',
    prepare: async (url) => {
      const options = { env: { POSTGRES_URL: url }, signal } // without a target, transform would start a server
      await runWhole(process.execPath, [bin, 'export', '--from', file, '--dir', rendered], options)
      await runWhole(process.execPath, [bin, 'transform', '--schema', schema, '--dir', rendered], options)
    },
    run: (url) => measure(process.execPath, command, { env: { POSTGRES_URL: url }, signal }),
  }
}

function isInstalled(command: string): boolean {
  try {
    execFileSync('sh', ['-c', `command -v ${command}`], { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
}
