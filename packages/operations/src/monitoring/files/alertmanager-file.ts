import { yamlFile } from './yaml-file.ts'

/** Whom alerts go to. The address is a secret, so it is in no file: compose hands over ALERT_WEBHOOK_URL. */
export function alertmanagerFile(): string {
  return yamlFile('Where alerts go: a webhook, whose address is ALERT_WEBHOOK_URL.', {
    route: {
      receiver: 'operators',
      group_by: ['alertname'],
      group_wait: '30s',
      group_interval: '5m',
      repeat_interval: '12h',
      routes: [{ matchers: ['severity="critical"'], receiver: 'operators', repeat_interval: '1h' }],
    },
    // What the worker reads for all is absent while it is down: that is one fact, not several.
    inhibit_rules: [
      {
        source_matchers: ['alertname="OutgrowWorkerDown"'],
        target_matchers: ['alertname=~"OutgrowBackupAbsent|OutgrowDrillOld"'],
      },
    ],
    receivers: [
      {
        name: 'operators',
        webhook_configs: [{ url_file: '/run/secrets/alert_webhook_url', send_resolved: true }],
      },
    ],
  })
}
