import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { readDmmf, readSchemaSource } from '@outgrow/schema'
import { expect, test } from 'vitest'

interface Named {
  name: string
  table: string
}

const root = join(import.meta.dirname, '../..')
const { files } = readSchemaSource(join(root, 'prisma/schema'))
const billing = files.find(([path]) => path.endsWith('billing.prisma'))?.[1] ?? ''
const all = readDmmf(files).datamodel.models.map(({ name, dbName }) => ({ name, table: dbName ?? name }))
/** Billing has commands of its own, which know what it keeps. */
const others = all.filter(({ name }) => !billing.includes(`model ${name} {`))

/** Models and tables in a program's text: in quotes, or as a property of a client. */
function namesIn(text: string, models: Named[]): string[] {
  return models.flatMap(({ name, table }) => {
    const property = name.charAt(0).toLowerCase() + name.slice(1)
    return [
      new RegExp(`(["'\`])${table}\\1|["'\`][^"'\`]*\\b(?:FROM|INTO|JOIN|UPDATE) "?${table}\\b`, 'u'),
      new RegExp(`\\b(?:client|tx|prisma)\\.${property}\\.`, 'u'),
    ].flatMap((pattern) => pattern.exec(text)?.[0] ?? [])
  })
}

test.each([
  ['packages/kit', all],
  ['packages/databases', all],
  ['packages/schema', all],
  ['packages/client', all],
  ['packages/graduate', all],
  ['scripts', others],
])('%s knows no model of this repository by name', (folder, models) => {
  const sources = globSync(`${folder}/src/**/*.ts`, { cwd: root })
  expect(sources.length).toBeGreaterThan(0)
  expect(models.length).toBeGreaterThan(5)
  const hits = sources.flatMap((path) =>
    namesIn(readFileSync(join(root, path), 'utf8'), models).map((hit) => [path, hit]),
  )
  expect(hits).toEqual([])
})

test('the check finds a name where there is one', () => {
  const text = "await database.client.account.count(); rows('SELECT * FROM users'); map('plans')"
  expect(namesIn(text, all)).toEqual(["'SELECT * FROM users", 'client.account.', "'plans'"])
})
