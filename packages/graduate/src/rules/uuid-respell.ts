import type { ValueRule } from './rule.ts'

export const uuidRespell: ValueRule<string, string> = {
  name: 'uuid-respell',
  help: 'accepts UUIDs in uppercase or without hyphens; PostgreSQL shows them in lowercase with hyphens',
  fix: (hex) => hex.toLowerCase(),
}
