import { Command, Option } from 'commander'
import { checkPool, preparePool, writePoolFiles } from '@outgrow/operations'
import { outcome } from '../output/outcome.ts'
import { runCommand } from '../output/run.ts'
import { checkRequest, prepareRequest, type PoolOptions } from '../pool-options.ts'
import { blankPool, poolDocument, printCheckedPool, printPool, type PoolDocument } from '../render/pool.ts'

export const poolCommand = new Command('pool')
  .summary('configure pgbouncer in front of a Postgres, or check a running one')
  .description(
    'Computes a pooler in transaction mode and writes pgbouncer.ini, userlist.txt, the SQL to run and both URLs, with the reason for each number. Reads the server; changes nothing on it. With --check it looks at a running pooler and the server behind it.',
  )
  .option('--cores <n>', 'cores of the database server')
  .option('--processes <n>', 'processes of the application')
  .option('--max-connections <n>', 'of the server (default: read from it)')
  .option('--connection-limit <n>', 'connections of each process (default: that of the URL, else 10)')
  .option('--database <url>', 'the server itself (default: DIRECT_URL, else DATABASE_URL)')
  .option('--databases <names...>', 'databases that are pooled (default: that of the URL)')
  .option('--roles <names...>', 'roles that connect through the pooler (default: that of the URL)')
  .addOption(
    new Option('--auth <how>', 'how the pooler learns passwords')
      .choices(['query', 'userlist'])
      .default('query'),
  )
  .option('--listen <host:port>', 'where the pooler listens', '127.0.0.1:6432')
  .option('--dir <folder>', 'write the files there; without it they are only printed')
  .option('--force', 'overwrite files that are there')
  .option('--dry-run', 'write nothing, whatever --dir says')
  .option('--check', 'look at a running pooler')
  .option('--admin-url <url>', 'its admin console (default: PGBOUNCER_ADMIN_URL, else that of DATABASE_URL)')
  .option('--json', 'print one JSON document on stdout')
  .addHelpText(
    'after',
    `
Examples:
  outgrow pool --cores 2 --max-connections 100 --processes 3      show a configuration; needs no server
  outgrow pool --cores 2 --processes 3 --dir pooler               with what the server at DATABASE_URL says
  outgrow pool --check --processes 3

Exit status: 0 done, 2 refused; nothing was written then, 4 --check found something.`,
  )
  .action((options: PoolOptions) =>
    runCommand<PoolDocument>(options.json ?? false, blankPool, async ({ terminal }) => {
      if (options.check) {
        const checked = await checkPool(checkRequest(options))
        printCheckedPool(terminal, checked)
        return outcome('pool', { ...blankPool, ...checked }, checked.findings.length === 0)
      }
      const prepared = await preparePool(await prepareRequest(options))
      const folder = options.dryRun ? undefined : options.dir
      if (folder !== undefined) writePoolFiles(folder, prepared.files, options.force ?? false)
      printPool(terminal, prepared, folder)
      return outcome('pool', poolDocument(prepared, folder))
    }),
  )
