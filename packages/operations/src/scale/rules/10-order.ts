import type { Rule } from '../rule.ts'

export const order: Rule = {
  number: 10,
  code: 'OUTGROW_SCALE_ORDER',
  promise: 'Tables are spread before foreign keys are added.',
  why: 'Citus refuses to spread a table that refers to one that is not.',
  find: () => undefined,
  look: 'Run the statements for spreading between the tables and the foreign keys: load, then constrain.',
}
