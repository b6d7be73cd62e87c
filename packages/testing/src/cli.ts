import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import type { Report } from '@outgrow/graduate'
import type { SqliteDatabase } from '@outgrow/databases'
import { makeSqlite } from './sqlite.ts'

const root = join(import.meta.dirname, '../../..')
const bin = join(root, 'scripts/bin/outgrow.mjs')
/** What belongs to the repository: demo, dev, start, load. */
export const repositoryBin = join(root, 'internal/main.ts')

export interface Ran<Document> {
  code: number | null
  stdout: string
  stderr: string
  document: Document
}

/** Runs the command line with `--json` and reads its one document. */
export function outgrow<Document = Report>(
  args: string[],
  env: NodeJS.ProcessEnv = {},
  cwd?: string,
): Promise<Ran<Document>> {
  return run(bin, args, env, cwd)
}

/** As `outgrow`, for the commands of the repository. */
export function repository<Document = Report>(
  args: string[],
  env: NodeJS.ProcessEnv = {},
  cwd?: string,
): Promise<Ran<Document>> {
  return run(repositoryBin, args, env, cwd)
}

function run<Document>(
  entry: string,
  args: string[],
  env: NodeJS.ProcessEnv,
  cwd: string | undefined,
): Promise<Ran<Document>> {
  return start<Document>(entry, args, env, cwd).ended
}

/** A command that runs. */
export interface Started<Document> {
  child: ChildProcess
  /** Resolves when it prints that on standard error; rejects when it ends without. */
  says(text: string): Promise<void>
  ended: Promise<Ran<Document>>
}

/** Starts the command line with `--json`, for what is to happen to it while it runs. */
export function startOutgrow(args: string[], env: NodeJS.ProcessEnv = {}, cwd?: string): Started<Report> {
  return start(bin, args, env, cwd)
}

function start<Document>(
  entry: string,
  args: string[],
  env: NodeJS.ProcessEnv,
  cwd: string | undefined,
): Started<Document> {
  const child = spawn(process.execPath, [entry, ...args, '--json'], {
    env: { ...process.env, DATABASE_URL: '', POSTGRES_URL: '', DIRECT_URL: '', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
    cwd,
  })
  const printed = { stdout: '', stderr: '' }
  for (const stream of ['stdout', 'stderr'] as const)
    child[stream].setEncoding('utf8').on('data', (text: string) => (printed[stream] += text))
  const ended = once(child, 'close').then((): Ran<Document> => {
    let document: unknown
    try {
      document = JSON.parse(printed.stdout)
    } catch {
      document = undefined // what was printed is part of what the test looks at
    }
    return { code: child.exitCode, ...printed, document: document as Document }
  })
  const says = (text: string) =>
    new Promise<void>((resolve, reject) => {
      const look = () => printed.stderr.includes(text) && resolve()
      child.stderr.on('data', look)
      look()
      void ended.then(() => reject(new Error(`it ended without ${text}: ${printed.stderr}`)))
    })
  return { child, says, ended }
}

const shopSchema = `datasource db {
  provider = "sqlite"
}

model Customer {
  id     Int     @id @default(autoincrement())
  name   String
  orders Order[]
}

model Order {
  id         Int      @id @default(autoincrement())
  customerId Int
  customer   Customer @relation(fields: [customerId], references: [id])
  note       String   @unique
  at         DateTime

  @@index([at])
}
`

/** A shop with `orders` orders; its schema lies beside it. */
export function makeShop(
  orders: number,
  more?: (database: SqliteDatabase) => void,
): { file: string; schema: string } {
  const file = makeSqlite(
    `CREATE TABLE "Customer" (id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT, name TEXT NOT NULL);
     CREATE TABLE "Order" (id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT, customerId INTEGER NOT NULL, note TEXT NOT NULL, at DATETIME NOT NULL);
     CREATE UNIQUE INDEX "Order_note_key" ON "Order"(note)`,
    (database) => {
      database.exec(`INSERT INTO "Customer" (name) WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1000) SELECT 'c' || i FROM n;
        INSERT INTO "Order" (customerId, note, at) WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ${orders})
          SELECT i % 1000 + 1, 'order ' || i || ' ' || hex(randomblob(20)), 1697658213523 + i FROM n`)
      more?.(database)
    },
  )
  const schema = join(dirname(file), 'schema.prisma')
  writeFileSync(schema, shopSchema)
  return { file, schema }
}
