import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { rules } from '@outgrow/graduate'
import { commandsFor } from '../src/program.ts'
import { outgrow } from '@outgrow/testing/cli'

const root = join(import.meta.dirname, '../..')
const read = (file: string) => readFileSync(join(root, file), 'utf8')

function sources(folder: string): string[] {
  return readdirSync(folder).flatMap((name) => {
    const path = join(folder, name)
    if (name === 'node_modules' || name === 'generated') return []
    return statSync(path).isDirectory()
      ? sources(path)
      : path.endsWith('.ts')
        ? [readFileSync(path, 'utf8')]
        : []
  })
}

test('docs/errors.md lists every code of the product, and no other', () => {
  const packages = readdirSync(join(root, 'packages')).map((name) => join(root, 'packages', name, 'src'))
  const used = new Set(
    [...packages, join(root, 'scripts/src'), join(root, 'internal')]
      .flatMap(sources)
      .flatMap((text) => text.match(/OUTGROW_[A-Z]+_?[A-Z_]*[A-Z](?=')/g) ?? []),
  )
  const documented = new Set(read('docs/errors.md').match(/OUTGROW_[A-Z_]+[A-Z]/g))
  const sorted = (codes: Iterable<string>) => [...codes].toSorted((a, b) => a.localeCompare(b))
  expect(sorted(documented)).toEqual(sorted(used))
})

test('docs/values.md lists every rule', () => {
  const documented = [...read('docs/values.md').matchAll(/^\| `([a-z][a-z-]+)`\s*\|/gm)].map(
    (match) => match[1],
  )
  expect(documented).toEqual(rules.map(({ name }) => name))
})

test.each(['ARCHITECTURE.md', 'docs/extending.md'])('every file that %s names is there', (document) => {
  const graduate = 'packages/graduate'
  const places = ['', 'apps', 'packages', graduate, `${graduate}/src`, ...packageFolders()]
  const named = [...read(document).matchAll(/`([\w./-]+\/[\w.-]+\.(?:ts|js|json|md|prisma))`/g)].map(
    ([, path]) => path as string,
  )
  expect(named.length).toBeGreaterThan(5)
  const missing = named.filter(
    (path) =>
      !places.some(
        (place) =>
          existsSync(join(root, place, path)) ||
          existsSync(join(root, place, path.replace(/^(\w+)\//, '$1/src/'))),
      ),
  )
  expect(missing).toEqual([])
})

function packageFolders(): string[] {
  return readdirSync(join(root, 'packages')).map((name) => `packages/${name}/src`)
}

test('every command appears in the README and says how it is used', async () => {
  for (const command of await commandsFor()) {
    expect(read('README.md')).toContain(command.name())
    let help = ''
    command.configureOutput({ writeOut: (text) => (help += text) })
    command.outputHelp()
    expect(help).toMatch(command.commands.length === 0 ? /Examples?:/ : /Commands:/)
  }
})

test('a wrong option ends with 2', async () => {
  const { code, stderr } = await outgrow(['migrate', '--fxi', 'boolean-words'])
  expect(code).toBe(2)
  expect(stderr).toContain('--fxi')
})

test('a failure is one document, with the reason and the way out', async () => {
  const { code, document } = await outgrow(['inspect', '--from', 'nowhere.db'], {}, root)
  expect(code).toBe(2)
  expect(document).toMatchObject({
    command: 'inspect',
    ok: false,
    exitCode: 2,
    error: { code: 'OUTGROW_SOURCE_NOT_FOUND' },
  })
})

test('an unknown rule is refused before anything is opened', async () => {
  const { code, document } = await outgrow(['inspect', '--from', 'nowhere.db', '--fix', 'guess'], {}, root)
  expect([code, document.error?.code]).toEqual([2, 'OUTGROW_OPTION_INVALID'])
})
