import type { ReferenceRule } from './rule.ts'

export const orphansQuarantine: ReferenceRule = {
  name: 'orphans-quarantine',
  help: 'quarantines rows whose referenced row does not exist',
  resolves: 'by quarantining the row',
}
