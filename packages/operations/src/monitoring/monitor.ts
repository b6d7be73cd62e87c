export { alertRules } from './alerts/rules.ts'
export { dashboardRows } from './files/dashboard-panels.ts'
export type { MonitoringRequest } from './files/monitoring-request.ts'
export { planMonitoring, writeMonitoring, type PlannedFile } from './files/plan-monitoring.ts'
