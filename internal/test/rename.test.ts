import { execFileSync, spawnSync } from 'node:child_process'
import { cpSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { temporaryFolder } from '@outgrow/testing'
import { expect, test } from 'vitest'

const script = 'internal/bin/rename.mjs'
const files = {
  'package.json': '{ "name": "first-workspace" }',
  'pnpm-lock.yaml': "'@first/db': link:packages/db\n'@types/node': 24.10.1\n",
  'internal/package.json': '{ "name": "@first/internal" }',
  'src/use.ts': "import '@first/db'\nconst own = /@first\\/db/\nconst mail = 'me@first/x'",
  'src/other.ts': "import '@first-aid/kit'",
}

/** A repository that has little more than the script, committed. */
function makeRepository(): string {
  const folder = temporaryFolder()
  mkdirSync(join(folder, 'internal/bin'), { recursive: true })
  mkdirSync(join(folder, 'src'))
  for (const [path, text] of Object.entries(files)) writeFileSync(join(folder, path), text)
  cpSync(join(import.meta.dirname, '../..', script), join(folder, script))
  const git = (...args: string[]) => execFileSync('git', args, { cwd: folder })
  git('init', '-q')
  git('add', '.')
  git('-c', 'user.name=Test', '-c', 'user.email=test@example.com', 'commit', '-qm', 'Begin')
  return folder
}

function rename(folder: string, ...args: string[]) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [join(folder, script), ...args], {
    encoding: 'utf8',
  })
  return { status, stdout, stderr }
}

// That everything builds and runs under another name is seen where docs/make-it-yours.md is tested.
test('a dry run lists what names the scope, and changes nothing', () => {
  const folder = makeRepository()
  const { status, stdout } = rename(folder, 'second', '--dry-run')
  expect(status).toBe(0)
  expect(stdout.split('\n').slice(0, -2).toSorted()).toEqual(
    ['internal/package.json', 'package.json', 'pnpm-lock.yaml', 'src/use.ts'].toSorted(),
  )
  for (const [path, text] of Object.entries(files))
    expect(readFileSync(join(folder, path), 'utf8')).toBe(text)
})

test('the name that it has already changes nothing', () => {
  const folder = makeRepository()
  expect(rename(folder, 'first')).toEqual({ status: 0, stdout: 'The scope is @first already.\n', stderr: '' })
})

test.each([
  [['Not A Scope'], 'cannot be the scope'],
  [['_acme'], 'cannot be the scope'],
  [['types'], 'Packages of @types are installed already.'],
  [[], 'Exactly one name is needed.'],
  [['a', 'b'], 'Exactly one name is needed.'],
  [['acme', '--hurry'], '--hurry'],
])('%j is refused with a way out', (args, message) => {
  const { status, stderr } = rename(makeRepository(), ...args)
  expect(status).toBe(2)
  expect(stderr).toContain(message)
  expect(stderr).toContain('  fix: ')
})

test('uncommitted changes are not mixed with the rename', () => {
  const folder = makeRepository()
  writeFileSync(join(folder, 'src/new.ts'), "import '@first/db'")
  const { status, stderr } = rename(folder, 'second')
  expect([status, stderr]).toEqual([2, expect.stringContaining('There are uncommitted changes')])
  expect(readFileSync(join(folder, 'src/use.ts'), 'utf8')).toBe(files['src/use.ts'])
})

test('--help shows an example', () => {
  const { status, stdout } = rename(makeRepository(), '--help')
  expect([status, stdout]).toEqual([0, expect.stringContaining('pnpm rename acme')])
})
