import type { Rule } from '../rule.ts'

export const locks: Rule = {
  number: 8,
  code: 'OUTGROW_SCALE_LOCK',
  promise: 'FOR UPDATE filters by the tenant; queues, such as an inbox and an outbox, stay on one machine.',
  why: 'A lock is taken on one machine, which the tenant names.',
  find: () => undefined,
  look: 'Search the code for FOR UPDATE and lockForUpdate. Tables without relations are left on the coordinator.',
}
