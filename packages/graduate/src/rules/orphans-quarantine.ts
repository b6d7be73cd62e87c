import type { ReferenceRule } from './rule.ts'

export const orphansQuarantine: ReferenceRule = {
  name: 'orphans-quarantine',
  help: 'sets aside rows whose reference points nowhere',
  resolves: 'by quarantining the row',
}
