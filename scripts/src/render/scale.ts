import type { ScaleFinding, ScaleReport } from '@outgrow/operations'
import { count, type Terminal } from '../output/terminal.ts'

const colors = { kept: 'green', broken: 'red', decide: 'yellow', advice: 'cyan', unseen: 'yellow' } as const

/** What a schema must change to be spread over a cluster. */
export function printScale(terminal: Terminal, report: ScaleReport): void {
  const { tenant, rules, findings, problem } = report
  terminal.line(`Tenant: ${tenant.model}.${tenant.field}. ${tenant.why}`)
  terminal.line(tablesLine(report))
  for (const { number, promise, why, state, look } of rules) {
    terminal.line(
      `${terminal.style(colors[state], state.padEnd(6))} ${number}. ${promise}${state === 'kept' ? '' : ` ${why}`}`,
    )
    if (look !== null) terminal.line(`    ${look}`)
    const own = findings.filter(({ rule }) => rule === number)
    for (const finding of own) printFinding(terminal, finding)
    for (const fix of new Set(own.map((finding) => finding.fix))) terminal.line(`    fix: ${fix}`)
  }
  printChanges(terminal, findings)
  if (problem !== null) terminal.line(`Prisma does not accept the changed schema: ${problem}`)
  terminal.line('A schema per tenant (citus.enable_schema_based_sharding):')
  terminal.line(`  ${servesText[report.schemaPerTenant.serves]}`)
  for (const reason of report.schemaPerTenant.reasons) terminal.line(`  ${reason}`)
  terminal.line(proofLine(report))
}

const servesText: Record<ScaleReport['schemaPerTenant']['serves'], string> = {
  unchanged: 'Takes the generated schema unchanged.',
  shared: 'Takes the generated schema unchanged, but for what tenants share.',
  no: 'Does not take this schema.',
}

function tablesLine({ tables }: ScaleReport): string {
  const named = (place: string) => tables.filter((table) => table.place === place).map(({ model }) => model)
  return `Spread by it: ${list(named('tenant'))}. Whole on every machine: ${list(named('reference'))}. On one machine: ${list(named('local'))}.`
}

const list = (names: string[]): string => (names.length === 0 ? 'none' : names.join(', '))

function printFinding(terminal: Terminal, { file, line, fact, example }: ScaleFinding): void {
  terminal.line(`    ${file}:${line}  ${fact}`)
  if (example !== null) terminal.line(`      ${example.replaceAll('\n', '\n      ')}`)
}

/** Each line once, whichever rules it is for. */
function printChanges(terminal: Terminal, findings: ScaleFinding[]): void {
  const changes = new Map(
    findings
      .flatMap((finding) => finding.changes)
      .map((change) => [JSON.stringify([change.file, change.line, change.before ?? change.after]), change]),
  )
  if (changes.size === 0) return
  terminal.line(
    `${count(changes.size)} changes of lines, for Postgres; --json has the whole schema with them:`,
  )
  const files = Map.groupBy(changes.values(), ({ file }) => file)
  for (const [file, own] of files) {
    terminal.line(file)
    for (const { line, before, after } of own.toSorted((a, b) => a.line - b.line)) {
      const place = String(line).padStart(5)
      if (before !== null) terminal.line(`${place} ${terminal.style('red', `- ${before.trim()}`)}`)
      for (const added of after === null ? [] : after.split('\n'))
        terminal.line(`${place} ${terminal.style('green', `+ ${added.trim()}`)}`)
    }
  }
}

function proofLine({ proof }: ScaleReport): string {
  if (proof === null)
    return 'Unproved: none of this has run on a Citus cluster yet; docs/scale.md has the command that does.'
  return `Proved on Citus ${proof.citus}, PostgreSQL ${proof.postgres}, with ${proof.workers} workers, on ${proof.at}.`
}
