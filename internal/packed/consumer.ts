import { execFile, execFileSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'

const run = promisify(execFile)

/** A project of somebody else, outside of the workspace, that installs with plain npm. */
export interface Consumer {
  folder: string
  /** Runs a file with the project's own Node. */
  node(...args: string[]): Promise<{ stdout: string; stderr: string }>
  /** Generates a Prisma client. */
  generate(schema: string): Promise<unknown>
  /** Runs a command of an installed package. */
  npx(...args: string[]): Promise<{ stdout: string; stderr: string; ms: number }>
}

const schema = (provider: 'sqlite' | 'postgresql') => `generator client {
  provider            = "prisma-client"
  output              = "../generated/${provider === 'sqlite' ? 'sqlite' : 'postgres'}"
  importFileExtension = "ts"
}

datasource db {
  provider = "${provider}"
}

model Ship {
  id     Int     @id @default(autoincrement())
  name   String  @unique
  tons   Decimal?
  crew   Sailor[]
}

model Sailor {
  id     String   @id @default(uuid())
  name   String
  signed DateTime @default(now())
  shipId Int
  ship   Ship     @relation(fields: [shipId], references: [id])
}
`

/**
 * Makes such a project in an empty folder.
 * @param npm path of npm's own script, run by the Node of that version
 */
export async function makeConsumer(
  folder: string,
  { nodeVersion, npm, tarballs }: { nodeVersion: string; npm: string; tarballs: string[] },
): Promise<Consumer> {
  const tool = join(folder, 'tool')
  mkdirSync(tool, { recursive: true })
  writeFileSync(join(tool, 'package.json'), '{"private":true}')
  await run(process.execPath, [npm, 'install', '--no-audit', '--no-fund', `node@${nodeVersion}`], {
    cwd: tool,
  })
  const executable = join(tool, 'node_modules/node/bin/node')
  const project = join(folder, 'project')
  mkdirSync(join(project, 'prisma'), { recursive: true })
  const dependencies = Object.fromEntries(tarballs.map((path) => [nameOf(path), `file:${path}`]))
  writeFileSync(
    join(project, 'package.json'),
    JSON.stringify({
      private: true,
      type: 'module',
      dependencies: { ...dependencies, '@prisma/client': '7.10.0', stripe: '23.1.0' },
      devDependencies: { prisma: '7.10.0', typescript: '7.0.2', '@types/node': '24.10.1' },
    }),
  )
  for (const [provider, name] of [
    ['sqlite', 'sqlite'],
    ['postgresql', 'postgres'],
  ] as const)
    writeFileSync(join(project, `prisma/${name}.prisma`), schema(provider))
  const env = {
    ...process.env,
    PATH: `${join(tool, 'node_modules/node/bin')}:${process.env.PATH ?? ''}`,
    NODE_PATH: '', // pnpm names its own store in it
    DATABASE_URL: '',
    POSTGRES_URL: '',
    OUTGROW_BACKUP_KEY: randomBytes(32).toString('hex'),
    NODE_COMPILE_CACHE: '',
    PRISMA_SCHEMA_ENGINE_BINARY: executable,
    CHECKPOINT_DISABLE: '1',
  }
  const started = (...args: string[]) => run(executable, args, { cwd: project, env, maxBuffer: 64e6 })
  await started(npm, 'install', '--no-audit', '--no-fund')
  const generate = (path: string) =>
    started('node_modules/prisma/build/index.js', 'generate', '--schema', path, '--no-hints')
  for (const name of ['sqlite', 'postgres']) await generate(`prisma/${name}.prisma`)
  return {
    folder: project,
    generate,
    node: (...args) => started(...args),
    npx: async (...args) => {
      const begun = performance.now()
      const [command = '', ...rest] = args
      const result = await run(join(project, 'node_modules/.bin', command), rest, {
        cwd: project,
        env,
        maxBuffer: 64e6,
      })
      return { ...result, ms: performance.now() - begun }
    },
  }
}

/** The name of a packed package. */
export function nameOf(tarball: string): string {
  const manifest = execFileSync('tar', ['-xzOf', tarball, 'package/package.json'], { encoding: 'utf8' })
  return (JSON.parse(manifest) as { name: string }).name
}

/** Megabytes that a folder takes. */
export async function megabytes(folder: string): Promise<number> {
  const { stdout } = await run('du', ['-sm', folder])
  return Number(stdout.split('\t')[0])
}

/** How many copies of a package are installed. */
export function copiesOf(name: string, folder: string): number {
  const modules = join(folder, 'node_modules')
  let copies = 0
  const visit = (at: string) => {
    for (const entry of readdirSync(at, { withFileTypes: true })) {
      if (!entry.isDirectory()) continue
      const path = join(at, entry.name)
      if (entry.name === name && at.endsWith('node_modules')) copies++
      if (
        entry.name.startsWith('@') ||
        entry.name === 'node_modules' ||
        at.endsWith('node_modules') ||
        at.includes('/@')
      )
        visit(path)
    }
  }
  visit(modules)
  return copies
}
