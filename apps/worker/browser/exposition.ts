/** What processes reported: by metric, the values that each label had. */
export type Exposition = Map<string, Map<string, Set<string>>>

/** Reads Prometheus' text, as several scrapes gave it. */
export function readExposition(texts: readonly string[]): Exposition {
  const metrics: Exposition = new Map()
  for (const line of texts.flatMap((text) => text.split('\n'))) {
    const [, name, labels = ''] = /^([a-z_]\w*)(?:\{(.*)\})? \S+$/i.exec(line) ?? []
    if (name === undefined) continue
    const known = metrics.get(name) ?? new Map<string, Set<string>>()
    metrics.set(name, known)
    for (const [, label = '', value = ''] of labels.matchAll(/(\w+)="((?:[^"\\]|\\.)*)"/g))
      known.set(label, (known.get(label) ?? new Set()).add(value))
  }
  return metrics
}

const keywords = new Set(['and', 'or', 'unless', 'bool', 'offset', 'inf', 'nan'])
/** What Prometheus itself makes. */
const itsOwn: Exposition = new Map([
  ['up', new Map()],
  ['ALERTS', new Map([['alertstate', new Set(['firing'])]])],
])
const itsLabels = new Set(['job', 'instance'])

/** What an expression names that nobody reports: metrics, labels, and values that it compares with. */
export function unknownIn(expr: string, exposition: Exposition): string[] {
  const unknown: string[] = []
  const grouped: string[] = []
  const rest = expr.replaceAll(/\b(?:by|on|without|ignoring) *\(([^)]*)\)/g, (_, labels: string) => {
    grouped.push(...labels.split(',').map((label) => label.trim()))
    return ''
  })
  const known = new Set(itsLabels)
  for (const [, name = '', call, selector = ''] of rest.matchAll(
    /(?<![\w.[])([a-z_]\w*)( *\()?(?:\{([^}]*)\})?/gi,
  )) {
    if (call !== undefined || keywords.has(name)) continue
    const labels = exposition.get(name) ?? itsOwn.get(name)
    if (!labels) {
      unknown.push(name)
      continue
    }
    for (const label of labels.keys()) known.add(label)
    for (const [, label = '', operator, value = ''] of selector.matchAll(/(\w+) *(=~|!~|!=|=) *"([^"]*)"/g)) {
      if (itsLabels.has(label)) continue
      const values = labels.get(label)
      const isValue = operator !== '=' || values?.has(value) === true
      if (!values || !isValue) unknown.push(`${name}{${label}${operator}"${value}"}`)
    }
  }
  return [...unknown, ...grouped.filter((label) => !known.has(label)).map((label) => `by (${label})`)]
}

/** The labels that the series of an expression can have. */
export function labelsIn(expr: string, exposition: Exposition): Set<string> {
  const names = [...exposition.keys()].filter((name) => new RegExp(`\\b${name}\\b`).test(expr))
  return new Set([...itsLabels, ...names.flatMap((name) => [...(exposition.get(name)?.keys() ?? [])])])
}
