import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { Failure } from '@outgrow/kit'
import { alertmanagerFile } from './alertmanager-file.ts'
import { alertsFile } from './alerts-file.ts'
import { composeFile } from './compose-file.ts'
import { dashboardFile } from './dashboard-file.ts'
import { dashboardsFile, datasourcesFile } from './grafana-files.ts'
import { refuseWrongTargets, type MonitoringRequest } from './monitoring-request.ts'
import { prometheusFile } from './prometheus-file.ts'

/** One file of the monitoring, and what becomes of it. */
export interface PlannedFile {
  /** Within the folder. */
  path: string
  text: string
  change: 'new' | 'unchanged' | 'replaced'
}

/**
 * What would be written into a folder.
 * @throws Failure OUTGROW_OPTION_INVALID
 */
export function planMonitoring(directory: string, request: MonitoringRequest): PlannedFile[] {
  refuseWrongTargets(request)
  const texts = {
    'prometheus.yml': prometheusFile(request),
    'alerts.yml': alertsFile(),
    'alertmanager.yml': alertmanagerFile(),
    'grafana/datasources.yaml': datasourcesFile(request),
    'grafana/dashboards.yaml': dashboardsFile(),
    'grafana/outgrow.json': dashboardFile(),
    'compose.monitoring.yaml': composeFile(request, directory),
  }
  return Object.entries(texts).map(([path, text]) => ({
    path,
    text,
    change: changeOf(directory, path, text),
  }))
}

/**
 * Writes what was planned, each file completely or not at all.
 * @param force replaces files that somebody has changed
 * @throws Failure OUTGROW_MONITORING_EXISTS before anything is written
 */
export function writeMonitoring(directory: string, files: readonly PlannedFile[], force: boolean): void {
  const replaced = files.filter(({ change }) => change === 'replaced').map(({ path }) => path)
  if (replaced.length > 0 && !force)
    throw new Failure({
      code: 'OUTGROW_MONITORING_EXISTS',
      message: `${directory} has other versions of ${replaced.join(', ')}.`,
      why: 'They may have been changed by hand.',
      fix: 'Compare with --dry-run, then pass --force to replace them, or write to another --dir.',
    })
  for (const { path, text, change } of files) {
    if (change === 'unchanged') continue
    const target = join(directory, path)
    mkdirSync(dirname(target), { recursive: true })
    writeFileSync(`${target}.part`, text)
    renameSync(`${target}.part`, target)
  }
}

function changeOf(directory: string, path: string, text: string): PlannedFile['change'] {
  const target = join(directory, path)
  if (!existsSync(target)) return 'new'
  return readFileSync(target, 'utf8') === text ? 'unchanged' : 'replaced'
}
