export { hasFeature, limitOf } from './access/entitlements.ts'
export { cancel, changePlan, pause, resume } from './actions/change.ts'
export { completeCheckout, createCheckout, createPortal, type CheckoutRequest } from './actions/checkout.ts'
export { ensureCustomer } from './actions/customer.ts'
export { checkPlans, definePlans, syncPlans, type Plan, type PlanConfig } from './config/plans.ts'
export { defaultPolicy, type BillingPolicy, type LinkCustomer } from './config/policy.ts'
export { openStripe } from './config/stripe.ts'
export type { Billing } from './context.ts'
export { handledEventTypes } from './inbox/event-types.ts'
export type { EventHook, EventHooks, HookedEvent, HookMessage } from './hooks/on-event.ts'
export { createWebhookHandler, type WebhookHandler, type WebhookOptions } from './inbox/webhook-handler.ts'
export { collisionsPerMinute, maxCollisions, webhookArrivals } from './repair/collisions.ts'
export { linkCustomer, type CustomerLink } from './link/link-customer.ts'
export { ignoreCustomer, linkCustomers } from './link/link-customers.ts'
export { prune } from './repair/prune.ts'
export {
  reconcile,
  reconciliationFindings,
  type ReconcileProgress,
  type Reconciliation,
  type ReconciliationFindings,
} from './repair/reconcile.ts'
export { replay, replayOutbox, type ReplaySelection } from './repair/replay.ts'
export { attentionOf } from './repair/attention.ts'
export { billingStatus, deadLetters, type BillingStatus } from './repair/status.ts'
export { grantsOf } from './sync/entitlements.ts'
export { syncCustomer, type SyncOutcome } from './sync/sync-customer.ts'
export { fetchStripeState, type StripeState } from './sync/stripe-state.ts'
export { runWorker, type WorkerOptions, type WorkerTotals } from './worker/run-worker.ts'
export type { OutboxEffect, Send } from './worker/send-message.ts'
export { EventStatus, isRunning, SubscriptionStatus } from './state/statuses.ts'
export type * from './store.ts'
export { prismaStore, type PrismaStoreOptions } from './prisma/prisma-store.ts'
export type { BillingModels } from './prisma/models.ts'
