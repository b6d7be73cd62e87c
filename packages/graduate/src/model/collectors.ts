import type { Finding, ReportedKey } from './finding.ts'
import type { FixReport } from './report.ts'

/** Groups bad values by table, column and reason, keeping the first ten keys of each group. */
export class FindingCollector {
  readonly #groups = new Map<string, Finding>()

  add(finding: Omit<Finding, 'count' | 'keys'>, key: ReportedKey): void {
    const id = JSON.stringify([finding.code, finding.table, finding.column, finding.reason])
    const group = this.#groups.get(id)
    if (group === undefined) {
      this.#groups.set(id, { ...finding, count: 1, keys: [key] })
      return
    }
    group.count++
    if (group.keys.length < 10) group.keys.push(key)
  }

  /** Takes over findings that were grouped elsewhere, such as in a chunk that an earlier run finished. */
  merge(findings: Finding[]): void {
    for (const finding of findings) {
      const id = JSON.stringify([finding.code, finding.table, finding.column, finding.reason])
      const group = this.#groups.get(id)
      if (group === undefined) this.#groups.set(id, structuredClone(finding))
      else {
        group.count += finding.count
        group.keys.push(...finding.keys.slice(0, 10 - group.keys.length))
      }
    }
  }

  get findings(): Finding[] {
    return [...this.#groups.values()]
  }

  get isEmpty(): boolean {
    return this.#groups.size === 0
  }
}

/** Counts what rules changed and what is worth a note, by rule, table and column. */
export class FixCounter {
  readonly #counts = new Map<string, FixReport>()

  add(rule: string, table: string, column: string, count = 1): void {
    const id = JSON.stringify([rule, table, column])
    const known = this.#counts.get(id)
    if (known) known.count += count
    else this.#counts.set(id, { rule, table, column, count })
  }

  merge(fixes: FixReport[]): void {
    for (const { rule, table, column, count } of fixes) this.add(rule, table, column, count)
  }

  get fixes(): FixReport[] {
    return [...this.#counts.values()]
  }
}
