import { isOnThisMachine, type MonitoringRequest } from './monitoring-request.ts'
import { yamlFile } from './yaml-file.ts'

/** Tells Grafana where Prometheus is. */
export function datasourcesFile(request: MonitoringRequest): string {
  const host = isOnThisMachine(request) ? '127.0.0.1' : 'prometheus'
  return yamlFile('Where Grafana finds Prometheus.', {
    apiVersion: 1,
    datasources: [
      {
        name: 'Prometheus',
        type: 'prometheus',
        access: 'proxy',
        url: `http://${host}:9090`,
        isDefault: true,
      },
    ],
  })
}

/** Tells Grafana where the dashboard is. */
export function dashboardsFile(): string {
  return yamlFile('Where Grafana finds the dashboard.', {
    apiVersion: 1,
    providers: [{ name: 'outgrow', type: 'file', options: { path: '/var/lib/grafana/dashboards' } }],
  })
}
