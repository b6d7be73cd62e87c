import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseEnv } from 'node:util'
import { openStripe } from '@outgrow/billing'
import { expect, test } from 'vitest'
import { consoleEnv } from '../../apps/console/src/env.ts'
import { webEnv } from '../../apps/web/src/env.ts'
import { workerEnv } from '../../apps/worker/src/env.ts'
import { askedBy, type Read } from './asked-by.ts'

const read = (file: string) => readFileSync(join(import.meta.dirname, '../..', file), 'utf8')
const example = read('.env.example')
const composed = [...read('compose.yaml').matchAll(/\$\{(\w+)/g)].map(([, name]) => name as string)

const apps: Read[] = [webEnv, workerEnv, consoleEnv, openStripe]
/** Of pnpm start, which is run-apps.ts, and of the command line. */
const commands = ['WORKER_HOST', 'CONSOLE_HOST', 'SHADOW_DATABASE_URL', 'PGBOUNCER_ADMIN_URL']

const sorted = (names: Iterable<string>) => [...new Set(names)].toSorted((a, b) => a.localeCompare(b))

test('.env.example names every variable that the apps read, and no other', () => {
  const named = [...example.matchAll(/^(?:# )?([A-Z][A-Z_]+)=/gm)].map(([, name]) => name as string)
  expect(named).toEqual([...new Set(named)])
  expect(sorted(named)).toEqual(sorted([...apps.flatMap(askedBy), ...commands, ...composed]))
})

test('with a secret of one’s own, its values are ones that every app accepts', () => {
  const env = { ...parseEnv(example), AUTH_SECRET: 'x'.repeat(32) }
  for (const read of apps) expect(() => read(env)).not.toThrow()
})

test('docs/apps.md explains every variable of the apps', () => {
  const explained = read('docs/apps.md')
  for (const name of apps.flatMap(askedBy)) expect(explained).toContain(`\`${name}\``)
})
