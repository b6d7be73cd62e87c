import { jobs } from '../alerts/rules.ts'
import { isOnThisMachine, type MonitoringRequest } from './monitoring-request.ts'
import { yamlFile } from './yaml-file.ts'

/** Where compose puts the secret METRICS_TOKEN in Prometheus' container. */
const tokenPath = '/run/secrets/metrics_token'

/** What Prometheus reads, how often, and whom it tells. */
export function prometheusFile(request: MonitoringRequest): string {
  const { worker, web, withToken } = request
  const scrape = (job: string, targets: string[]) => ({
    job_name: job,
    ...(withToken && { authorization: { credentials_file: tokenPath } }),
    static_configs: [{ targets }],
  })
  const alertmanager = isOnThisMachine(request) ? '127.0.0.1:9093' : 'alertmanager:9093'
  return yamlFile('What Prometheus reads.', {
    global: { scrape_interval: '15s', evaluation_interval: '15s' },
    rule_files: ['alerts.yml'],
    alerting: { alertmanagers: [{ static_configs: [{ targets: [alertmanager] }] }] },
    scrape_configs: [scrape(jobs.worker, worker), scrape(jobs.web, web)],
  })
}
