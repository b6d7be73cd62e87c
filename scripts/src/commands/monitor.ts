import { Command } from 'commander'
import { planMonitoring, writeMonitoring } from '@outgrow/operations/monitor'
import { runCommand } from '../output/run.ts'
import { documentOf, printMonitoring, type MonitorDocument } from '../render/monitoring.ts'

interface Options {
  dir: string
  worker: string[]
  web: string[]
  token?: boolean
  dryRun?: boolean
  force?: boolean
  json?: boolean
}

export const monitorCommand = new Command('monitor')
  .summary('write what Prometheus, Alertmanager and Grafana need to watch the application')
  .description(
    'Writes the configuration of Prometheus, alert rules for either database, an Alertmanager route, a Grafana dashboard and a compose file that runs all three on this machine. Nothing is started, and no secret is written.',
  )
  .option('--dir <folder>', 'where the files go', 'monitoring')
  .option('--worker <host:port...>', 'where the worker’s metrics are', ['127.0.0.1:3001'])
  .option('--web <host:port...>', 'where the web app’s metrics are', ['127.0.0.1:3004'])
  .option('--token', 'the apps have a METRICS_TOKEN, and Prometheus sends it')
  .option('--dry-run', 'show what would be written and write nothing')
  .option('--force', 'replace files that were changed')
  .option('--json', 'print one JSON document on stdout')
  .addHelpText(
    'after',
    `
Examples:
  outgrow monitor --dry-run
  outgrow monitor
  outgrow monitor --worker worker:3001 --web web:3004 --token

Exit status: 0 written or up to date, 2 refused; nothing was changed then.`,
  )
  .action((options: Options) =>
    runCommand<MonitorDocument>(
      options.json ?? false,
      { command: 'monitor', directory: options.dir, files: [] },
      async ({ terminal }) => {
        const { dir, worker, web, token = false, dryRun = false, force = false } = options
        const request = { worker, web, withToken: token }
        const files = planMonitoring(dir, request)
        if (!dryRun) writeMonitoring(dir, files, force)
        printMonitoring(terminal, dir, { files, request, isDry: dryRun })
        return documentOf(dir, files)
      },
    ),
  )
