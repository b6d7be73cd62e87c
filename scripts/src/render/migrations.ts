import { relative } from 'node:path'
import type { Authored, PlannedMigrations, Provider } from '@outgrow/schema'
import type { Terminal } from '../output/terminal.ts'
import { providerNames } from './provider-names.ts'

/** A migration as documents name it: its path is relative to the current folder. */
export type ShownMigration = Authored['migrations'][number]

/** Each with its path from the current folder. */
export function shownMigrations({ migrations }: Authored): ShownMigration[] {
  return migrations.map((one) => ({ ...one, path: relative(process.cwd(), one.path) }))
}

/** The SQL of both sides. */
export function printMigrations(terminal: Terminal, authored: Authored): void {
  for (const { provider, path, sql } of shownMigrations(authored)) {
    terminal.line(terminal.style('bold', `-- ${provider}: ${path}`))
    terminal.line(sql)
  }
}

/** The names of the databases that get a migration. */
export function providersOf({ migrations }: { migrations: { provider: Provider }[] }): string {
  return migrations.map(({ provider }) => providerNames[provider]).join(' and ')
}

/** Migrations that are not written yet, and on what they ran. */
export function printPlanned(terminal: Terminal, { authored, proved }: PlannedMigrations): void {
  printMigrations(terminal, authored)
  for (const warning of authored.warnings) terminal.line(`${terminal.style('yellow', 'warning')}  ${warning}`)
  const them = authored.migrations.length === 1 ? 'it' : 'them'
  terminal.line(`Ran on an empty ${proved}, after the migrations before ${them}.`)
}

export function printWritten(terminal: Terminal, authored: Authored): void {
  terminal.line(`Wrote ${authored.name} for ${providersOf(authored)}. Apply it with outgrow schema deploy.`)
}
