import { isAbsolute, join, normalize } from 'node:path'
import { areServices, isOnThisMachine, type MonitoringRequest } from './monitoring-request.ts'
import { yamlFile } from './yaml-file.ts'

const images = {
  prometheus: 'prom/prometheus:v3.5.0',
  alertmanager: 'prom/alertmanager:v0.28.1',
  grafana: 'grafana/grafana:12.1.0',
}

/** Not the web app's 3000, nor what is beside it. */
const grafanaPort = 3010

/**
 * What starts them. Apps that are services of compose are found by their names only within their own project.
 * @param directory where the files are, from the folder in which the command is given
 */
export function composeCommand(request: MonitoringRequest, directory: string): string {
  const file = `-f ${join(directory, 'compose.monitoring.yaml')}`
  return `docker compose ${areServices(request) ? `-f compose.yaml ${file}` : file} up -d`
}

/**
 * Prometheus, Alertmanager and Grafana, reachable from this machine only.
 * @param directory as `composeCommand` takes it
 */
export function composeFile(request: MonitoringRequest, directory: string): string {
  const isHost = isOnThisMachine(request)
  // Of several files, compose takes all paths from the folder of the first one.
  const folder = !areServices(request)
    ? '.'
    : isAbsolute(directory)
      ? normalize(directory)
      : `./${normalize(directory)}`
  const mounted = (file: string, target: string) => `${folder.replace(/\/$/, '')}/${file}:${target}:ro`
  // In the machine's own network each listens on loopback; in another one, compose publishes it there.
  const reached = (port: number) =>
    isHost ? { network_mode: 'host' } : { ports: [`127.0.0.1:${port}:${port}`] }
  const host = isHost ? '127.0.0.1' : '0.0.0.0'
  const common = { restart: 'unless-stopped', security_opt: ['no-new-privileges:true'] }
  const about = composeCommand(request, areServices(request) ? directory : '.')
  return yamlFile(about, {
    services: {
      prometheus: {
        image: images.prometheus,
        ...common,
        ...reached(9090),
        command: [
          '--config.file=/etc/prometheus/prometheus.yml',
          '--storage.tsdb.path=/prometheus',
          '--storage.tsdb.retention.time=30d',
          `--web.listen-address=${host}:9090`,
        ],
        volumes: [
          mounted('prometheus.yml', '/etc/prometheus/prometheus.yml'),
          mounted('alerts.yml', '/etc/prometheus/alerts.yml'),
          'prometheus:/prometheus',
        ],
        ...(request.withToken && { secrets: ['metrics_token'] }),
      },
      alertmanager: {
        image: images.alertmanager,
        ...common,
        ...reached(9093),
        command: [
          '--config.file=/etc/alertmanager/alertmanager.yml',
          '--storage.path=/alertmanager',
          `--web.listen-address=${host}:9093`,
          '--cluster.listen-address=',
        ],
        volumes: [
          mounted('alertmanager.yml', '/etc/alertmanager/alertmanager.yml'),
          'alertmanager:/alertmanager',
        ],
        secrets: ['alert_webhook_url'],
      },
      grafana: {
        image: images.grafana,
        ...common,
        ...reached(grafanaPort),
        environment: {
          GF_SERVER_HTTP_ADDR: host,
          GF_SERVER_HTTP_PORT: String(grafanaPort),
          GF_SECURITY_ADMIN_PASSWORD: '${GRAFANA_PASSWORD:?set it in .env}',
          GF_ANALYTICS_REPORTING_ENABLED: 'false',
        },
        volumes: [
          mounted('grafana/datasources.yaml', '/etc/grafana/provisioning/datasources/outgrow.yaml'),
          mounted('grafana/dashboards.yaml', '/etc/grafana/provisioning/dashboards/outgrow.yaml'),
          mounted('grafana/outgrow.json', '/var/lib/grafana/dashboards/outgrow.json'),
          'grafana:/var/lib/grafana',
        ],
      },
    },
    secrets: {
      alert_webhook_url: { environment: 'ALERT_WEBHOOK_URL' },
      ...(request.withToken && { metrics_token: { environment: 'METRICS_TOKEN' } }),
    },
    volumes: { prometheus: {}, alertmanager: {}, grafana: {} },
  })
}
