import type { ValueRule } from './rule.ts'

export const uuidRespell: ValueRule<string, string> = {
  name: 'uuid-respell',
  help: 'takes UUIDs in capitals or without hyphens, which read in small letters afterwards',
  fix: (hex) => hex.toLowerCase(),
}
