import type { ReferenceRule } from './rule.ts'

export const orphansNull: ReferenceRule = {
  name: 'orphans-null',
  help: 'sets an optional reference to NULL if its row does not exist',
  resolves: 'by clearing the reference',
}
