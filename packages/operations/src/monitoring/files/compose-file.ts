import { isOnThisMachine, type MonitoringRequest } from './monitoring-request.ts'
import { yamlFile } from './yaml-file.ts'

const images = {
  prometheus: 'prom/prometheus:v3.5.0',
  alertmanager: 'prom/alertmanager:v0.28.1',
  grafana: 'grafana/grafana:12.1.0',
}

/** Not the web app's 3000, nor what is beside it. */
const grafanaPort = 3010

/** Prometheus, Alertmanager and Grafana, reachable from this machine only. */
export function composeFile(request: MonitoringRequest): string {
  const isHost = isOnThisMachine(request)
  // In the machine's own network each listens on loopback; in another one, compose publishes it there.
  const reached = (port: number) =>
    isHost ? { network_mode: 'host' } : { ports: [`127.0.0.1:${port}:${port}`] }
  const host = isHost ? '127.0.0.1' : '0.0.0.0'
  const common = { restart: 'unless-stopped', security_opt: ['no-new-privileges:true'] }
  return yamlFile('docker compose -f compose.monitoring.yaml up -d', {
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
          './prometheus.yml:/etc/prometheus/prometheus.yml:ro',
          './alerts.yml:/etc/prometheus/alerts.yml:ro',
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
        volumes: ['./alertmanager.yml:/etc/alertmanager/alertmanager.yml:ro', 'alertmanager:/alertmanager'],
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
          './grafana/datasources.yaml:/etc/grafana/provisioning/datasources/outgrow.yaml:ro',
          './grafana/dashboards.yaml:/etc/grafana/provisioning/dashboards/outgrow.yaml:ro',
          './grafana/outgrow.json:/var/lib/grafana/dashboards/outgrow.json:ro',
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
