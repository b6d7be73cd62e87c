import { checkEmbedded, checkServer, initEmbedded, initOwnServer, splitLocation } from '@outgrow/operations'
import { Failure } from '@outgrow/kit'
import { outcome } from '../output/outcome.ts'
import type { CommandContext } from '../output/run.ts'
import {
  blankInit,
  printCheck,
  printEmbedded,
  printOwnServer,
  shownBase,
  type InitDocument,
} from '../render/backup-init.ts'
import { stepProgress } from '../render/progress.ts'
import { configuredLocation, type BackupOptions } from './options.ts'

export type { InitDocument }

export interface InitOptions extends BackupOptions {
  database?: string
  to?: string
  dir: string
  stanza: string
  configPath: string
  check?: boolean
  dryRun?: boolean
}

/** Sets up, or looks at, the archiving of the server that the options name: one's own, or the embedded one. */
export async function runInit(options: InitOptions, context: CommandContext): Promise<InitDocument> {
  const { database: url, workDir, stanza, configPath, dryRun = false } = options
  const { terminal, signal } = context
  const server = url === undefined ? 'embedded' : 'own'
  if (options.check) {
    const done = terminal.busy('Looking at the server')
    const look =
      url === undefined ? checkEmbedded(workDir, signal) : checkServer(url, { configPath, stanza, signal })
    const check = await look.finally(done)
    printCheck(terminal, check)
    return outcome('backup init', { ...blankInit, server, ...check }, check.findings.length === 0)
  }
  const location = await locationOf(options)
  const isEncrypted = !options.unencrypted
  if (url === undefined) {
    const request = { workDir, location, isEncrypted, dryRun, signal, onProgress: stepProgress(terminal) }
    const result = await initEmbedded(request)
    printEmbedded(terminal, result)
    const { base, settings, restarts, archive } = result
    const restart = restarts ? ['archive_mode'] : []
    return outcome('backup init', { ...blankInit, server, archive, settings, restart, base: shownBase(base) })
  }
  const request = { url, location, isEncrypted, stanza, configPath, folder: options.dir, dryRun }
  const result = await initOwnServer(request)
  printOwnServer(terminal, result, dryRun)
  return outcome('backup init', { ...blankInit, server, ...result })
}

async function locationOf({ to }: InitOptions): Promise<string> {
  const text = to ?? (await configuredLocation())
  if (text !== undefined) return splitLocation(text).location
  throw new Failure({
    code: 'OUTGROW_OPTION_INVALID',
    message: 'No location of backups was given.',
    fix: 'Pass --to with a folder or s3://bucket/prefix, or set OUTGROW_BACKUP_TO.',
  })
}
