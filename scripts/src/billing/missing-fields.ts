import type { Dmmf } from '@outgrow/schema'

/**
 * Lines of one of billing's blocks whose fields a model lacks, such as one that an earlier `billing init` made. A relation is
 * there under any name, when it leads to the same model.
 */
export function missingFields(block: string, model: Dmmf['datamodel']['models'][number]): string[] {
  const names = new Set(model.fields.map(({ name }) => name))
  const related = new Set(model.fields.filter(({ kind }) => kind === 'object').map(({ type }) => type))
  const lines = block.split('\n').map((line) => line.trim())
  return lines.flatMap((line, at) => {
    const [, name, type] = /^([A-Za-z]\w*) (\w+)[[\]?]*(?: [^{]|$)/.exec(line) ?? []
    if (name === undefined || type === undefined || names.has(name) || related.has(type)) return []
    const comment = lines[at - 1] ?? ''
    return comment.startsWith('///') ? [comment, line] : [line]
  })
}
