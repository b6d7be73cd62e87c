import { Command } from 'commander'
import { exportSnapshot } from '@outgrow/graduate'
import type { Report } from '@outgrow/graduate'
import { exit } from '@outgrow/kit'
import { runCommand } from '../output/run.ts'
import { count, size } from '../output/terminal.ts'
import { sourceOf } from '../move-options.ts'

interface Options {
  from?: string
  dir: string
  json?: boolean
}

export const exportCommand = new Command('export')
  .summary('copy a live SQLite file into one consistent snapshot')
  .description(
    'Copies a live SQLite file, its -wal included, into a folder: snapshot.sqlite and manifest.json.',
  )
  .option('--from <file>', 'SQLite file, as file: URL or path (default: DATABASE_URL)')
  .requiredOption('--dir <folder>', 'folder to write the export to')
  .option('--json', 'print one JSON document on stdout')
  .addHelpText(
    'after',
    `
Example:
  outgrow export --from file:./dev.db --dir export
  outgrow transform --dir export
  outgrow import --dir export --to "$POSTGRES_URL"`,
  )
  .action((options: Options) => {
    const blank = { command: 'export', tables: [], findings: [], fixes: [], steps: [] }
    return runCommand<Report>(options.json ?? false, blank, async ({ terminal, signal }) => {
      const started = performance.now()
      const { tables, snapshot } = await exportSnapshot({
        from: sourceOf(options),
        directory: options.dir,
        signal,
        progress: ({ rows, totalRows }) =>
          terminal.progress(() => `${count(rows)} of ${count(totalRows)} pages`),
      })
      const rows = tables.reduce((sum, table) => sum + table.rows, 0)
      terminal.line(
        `Exported ${count(rows)} rows in ${tables.length} tables, ${size(snapshot.bytes)}, to ${options.dir}.`,
      )
      return {
        ...blank,
        tables: tables.map(({ table, rows: sourceRows }) => ({
          table,
          sourceRows,
          targetRows: 0,
          quarantinedRows: 0,
          digestMatch: false,
        })),
        steps: [{ name: 'export', ms: Math.round(performance.now() - started), rows, bytes: snapshot.bytes }],
        ok: true,
        exitCode: exit.done,
        error: null,
      }
    })
  })
