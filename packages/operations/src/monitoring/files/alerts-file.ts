import { alertRules } from '../alerts/rules.ts'
import { yamlFile } from './yaml-file.ts'

/** The alerts as Prometheus reads them. */
export function alertsFile(): string {
  const rules = alertRules.map(({ severity, summary, description, ...rule }) => ({
    ...rule,
    labels: { severity },
    annotations: { summary, description },
  }))
  return yamlFile('Alerts of an Outgrow application; docs/monitoring.md explains each.', {
    groups: [{ name: 'outgrow', rules }],
  })
}
