import { join } from 'node:path'
import { composeCommand, type MonitoringRequest, type PlannedFile } from '@outgrow/operations/monitor'
import { outcome, type Outcome } from '../output/outcome.ts'
import { textTable, type Terminal } from '../output/terminal.ts'

export interface MonitorDocument extends Outcome {
  directory: string
  files: Pick<PlannedFile, 'path' | 'change'>[]
}

/** The files, what becomes of each, and how they are used. */
export function printMonitoring(
  terminal: Terminal,
  directory: string,
  { files, request, isDry }: { files: readonly PlannedFile[]; request: MonitoringRequest; isDry: boolean },
): void {
  const rows = files.map(({ path, change }) => [join(directory, path), change])
  for (const line of textTable(['file', isDry ? 'would be' : 'is'], rows)) terminal.line(line)
  if (isDry) return
  terminal.line(
    `Next: set ALERT_WEBHOOK_URL and GRAFANA_PASSWORD, then ${composeCommand(request, directory)}`,
  )
}

/** The same as a document. */
export function documentOf(directory: string, files: readonly PlannedFile[]): MonitorDocument {
  return outcome('monitor', { directory, files: files.map(({ path, change }) => ({ path, change })) })
}
