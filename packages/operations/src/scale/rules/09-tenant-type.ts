import type { Rule } from '../rule.ts'

export const tenantType: Rule = {
  number: 9,
  code: 'OUTGROW_SCALE_TENANT_TYPE',
  promise: 'The type of the tenant’s column is never altered.',
  why: 'Rows are found by the hash of its value.',
  find: () => undefined,
  look: 'It holds for the migrations that are written once the tables are spread.',
}
