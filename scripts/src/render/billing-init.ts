import type { PlannedInit } from '../billing/plan-init.ts'
import { outcome, type Outcome } from '../output/outcome.ts'
import type { Terminal } from '../output/terminal.ts'
import { printMigrations, providersOf, shownMigrations, type ShownMigration } from './migrations.ts'

export interface InitDocument extends Outcome {
  /** What billing's models are called in the schema. */
  models: Record<string, string>
  files: string[]
  migrations: ShownMigration[]
}

/** The migrations of billing's models, what is called otherwise, and the files that change. */
export function printInit(
  terminal: Terminal,
  { added, authored, names, proved }: PlannedInit,
  isDry: boolean,
): void {
  printMigrations(terminal, authored)
  terminal.line(`The migrations ran on an empty ${proved}.`)
  const files = added.changed.map(([file]) => file).join(', ')
  const providers = providersOf(authored)
  terminal.line(
    isDry
      ? `Would change ${files}, and add ${authored.name} for ${providers}.`
      : `Changed ${files}, and added ${authored.name} for ${providers}. Next: outgrow schema deploy, then generate the clients.`,
  )
  printRenamed(terminal, names)
}

/** Which of billing's blocks have another name in the project, and where to say so. */
export function printRenamed(terminal: Terminal, names: Record<string, string>): void {
  const renamed = Object.entries(names).filter(([name, chosen]) => name !== chosen)
  for (const [name, chosen] of renamed)
    terminal.line(`${name} is called ${chosen}, because its name is taken.`)
  // By the usual prefix they are found without being named.
  if (renamed.some(([name, chosen]) => chosen !== `Billing${name}`))
    terminal.line('Name the renamed models in outgrow.config.ts, under billing.models, and in prismaStore.')
}

/** The same as a document. */
export function documentOf({ names, added, authored }: PlannedInit): InitDocument {
  const files = added.changed.map(([file]) => file)
  return outcome('billing init', { models: names, files, migrations: shownMigrations(authored) })
}
