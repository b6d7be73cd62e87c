import { stringify } from 'yaml'

/** A file of YAML that says what wrote it. */
export function yamlFile(about: string, content: unknown): string {
  return `# Written by outgrow monitor. ${about}\n${stringify(content, { lineWidth: 0, aliasDuplicateObjects: false })}`
}
