import type { ReferenceRule } from './rule.ts'

export const orphansNull: ReferenceRule = {
  name: 'orphans-null',
  help: 'clears an optional reference that points nowhere',
  resolves: 'by clearing the reference',
}
