import { existsSync, readFileSync } from 'node:fs'
import { dirname, join, relative, resolve } from 'node:path'

/** What a project must change besides its DATABASE_URL, in lines. Nothing for one that uses the client of this product. */
export function switchChecklist(schema: string): string[] {
  const start = schema === 'introspect' ? process.cwd() : resolve(schema)
  const project = packageOf(start)
  if (project && /"@outgrow\/|"name": "outgrow"/.test(readFileSync(project, 'utf8'))) return []
  const postgresSchema = join(dirname(start), 'postgres/schema.prisma')
  const shown = existsSync(postgresSchema)
    ? ` (one for it is ${relative(process.cwd(), postgresSchema)})`
    : ''
  return [
    'What else the application needs to run on Postgres:',
    `  [ ] provider = "postgresql" in its Prisma schema${shown}`,
    '  [ ] the Postgres adapter (@prisma/adapter-pg) where it creates its client, with sessions in UTC',
    '  [ ] prisma generate, so that the client is built for Postgres',
    '  [ ] a restart, because a running process keeps the old connection',
  ]
}

/** The package.json that a path belongs to. */
function packageOf(path: string): string | undefined {
  for (let at = path; ; at = dirname(at)) {
    const file = join(at, 'package.json')
    if (existsSync(file)) return file
    if (at === dirname(at)) return undefined
  }
}
