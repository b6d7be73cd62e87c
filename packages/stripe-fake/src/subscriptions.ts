/** What happens to subscriptions outside of the API: in the dashboard, or by time. */
export { pause, resume } from './billing/pause.ts'
export { cancelNow, payOwed, renew } from './billing/renewal.ts'
export { setStatus } from './billing/statuses.ts'
export { subscribe } from './billing/subscribe.ts'
export { update } from './billing/update.ts'
