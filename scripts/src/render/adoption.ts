import { relative } from 'node:path'
import { redactUrl } from '@outgrow/kit'
import type { Adoption } from '@outgrow/billing/adopt'
import type { AdoptingProject, ProjectAdoption } from '../billing/adopt-into-project.ts'
import { count, type Terminal } from '../output/terminal.ts'
import { printRenamed } from './billing-init.ts'
import { printMigrations, providersOf } from './migrations.ts'

/** Shows that the schema is being validated, and then how many rows were read. */
export function adoptionProgress(terminal: Terminal): { show(adoption: Adoption): void; end(): void } {
  const end = terminal.busy('Validating the models and their migrations')
  return {
    show: ({ rowsRead, imported: { done, pending, dead } }) => {
      end()
      terminal.progress(() => `${count(rowsRead)} rows read, ${count(done + pending + dead)} taken over`)
    },
    end,
  }
}

/** What became of the project and of its events, and what comes next. */
export function printAdopted(
  terminal: Terminal,
  { adoption, planned, preset }: ProjectAdoption,
  project: AdoptingProject,
  isDry: boolean,
): { files: string[]; next: string[] } {
  const written = planned?.written
  if (written) {
    const { added, authored } = written
    if (isDry) printMigrations(terminal, authored)
    const changed = added.changed.map(([file]) => file).join(', ')
    terminal.line(
      isDry
        ? `Would change ${changed}, and add ${authored.name} for ${providersOf(authored)}.`
        : `Changed ${changed}, and added ${authored.name} for ${providersOf(authored)}.`,
    )
    printRenamed(
      terminal,
      Object.fromEntries(Object.entries(planned.names).map(([name, one]) => [name, one.name])),
    )
  }
  const files = written
    ? [
        ...written.added.changed.map(([file]) => file),
        ...written.authored.migrations.map(({ path }) => relative(process.cwd(), path)),
      ]
    : []
  printCounts(terminal, adoption, isDry)
  if (preset?.note !== undefined) terminal.line(`${preset.of}: ${preset.note}`)
  if (isDry) terminal.line('Dry run: nothing was changed.')
  const next = isDry ? [] : nextSteps(adoption, planned, project)
  if (next.length > 0) terminal.line('Next:')
  for (const step of next) terminal.line(`  ${step}`)
  return { files, next }
}

function printCounts(terminal: Terminal, adoption: Adoption, isDry: boolean): void {
  const { created, inbox, table, imported, rowsRead, known, updated } = adoption
  terminal.line(
    created
      ? `${isDry ? 'Would create' : 'Created'} the inbox ${inbox}, with a unique key.`
      : `The inbox ${inbox} already exists.`,
  )
  if (table === null) return
  terminal.line(
    `${count(rowsRead)} rows of ${table} read: ${count(imported.done)} events done, ${count(imported.pending)} pending, ${count(imported.dead)} dead, ${count(known)} already known.`,
  )
  if (updated > 0)
    terminal.line(`${count(updated)} of the known ones were processed since, or can be read now.`)
  if (adoption.duplicateRows > 0) terminal.line(duplicatesLine(adoption))
  for (const line of leftoverLines(adoption)) terminal.line(terminal.style('yellow', line))
}

function leftoverLines({ imported, invalid, otherProvider, withoutId }: Adoption): string[] {
  return [
    imported.dead > 0 &&
      `${count(imported.dead)} events cannot be processed, because their payloads cannot be read: outgrow billing dead-letters lists them.`,
    invalid > 0 && `${count(invalid)} rows have no valid signature, may be forged, and stay where they are.`,
    otherProvider > 0 && `${count(otherProvider)} rows are not events of Stripe and stay where they are.`,
    withoutId > 0 && `${count(withoutId)} rows have no event id that can be read and stay where they are.`,
  ].filter((line) => line !== false)
}

function duplicatesLine({ duplicateRows, duplicateEvents, duplicates }: Adoption): string {
  const first = duplicates.slice(0, 5).map(({ id, rows }) => `${id} (${rows})`)
  const more = duplicateEvents > 5 ? ' …' : ''
  return `${count(duplicateRows)} repeats of ${count(duplicateEvents)} events were collapsed: ${first.join(', ')}${more}`
}

/** What is still to be done until a worker drains the inbox. */
function nextSteps(
  { table }: Adoption,
  planned: ProjectAdoption['planned'],
  { databaseUrl, schema, account }: AdoptingProject,
): string[] {
  const to = redactUrl(databaseUrl)
  const again =
    table === null
      ? []
      : [`outgrow billing adopt-inbox again, once the application no longer writes to ${table}`]
  if (planned === undefined || schema === undefined)
    return [
      'outgrow billing adopt-inbox --schema <path> --account <model>, which adds billing to a project',
      ...again,
    ]
  const baseline =
    planned.written && !planned.hasHistory ? [`outgrow schema baseline --schema ${schema} --to ${to}`] : []
  if (!planned.isWhole)
    return [
      ...baseline,
      `outgrow billing init --account <model> --schema ${schema}`,
      `outgrow schema deploy --schema ${schema} --to ${to}`,
      ...again,
    ]
  const model = account === undefined ? '' : `${account.charAt(0).toLowerCase()}${account.slice(1)}`
  return [
    ...baseline,
    'prisma generate, for the schema of each database',
    ...(model === 'account' || model === ''
      ? []
      : [`account: { model: '${model}' } in prismaStore, and under billing in outgrow.config.ts`]),
    'outgrow billing link --file links.csv, for every account that is a customer at Stripe already: nobody is mailed about the past',
    'outgrow billing reconcile, and a worker: runWorker drains the inbox',
    ...again,
  ]
}
