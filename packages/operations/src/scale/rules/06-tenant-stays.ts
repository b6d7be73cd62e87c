import type { Rule } from '../rule.ts'

export const tenantStays: Rule = {
  number: 6,
  code: 'OUTGROW_SCALE_TENANT_STAYS',
  promise: 'The tenant of a row is never updated.',
  why: 'The row would have to go to another machine.',
  find: () => undefined,
  look: 'Search the code for updates that write it: a row that changes its tenant is deleted and created again.',
}
