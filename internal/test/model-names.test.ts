import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { readDmmf, readSchemaSource } from '@outgrow/schema'
import { expect, test } from 'vitest'

const root = join(import.meta.dirname, '../..')
const { files } = readSchemaSource(join(root, 'prisma/schema'))
const models = readDmmf(files).datamodel.models.map(({ name, dbName }) => ({ name, table: dbName ?? name }))

/** Models and tables of this repository's schema, in a program's text: in quotes, or as a property of a client. */
function namesIn(text: string): string[] {
  return models.flatMap(({ name, table }) => {
    const property = name.charAt(0).toLowerCase() + name.slice(1)
    return [
      new RegExp(`(["'\`])${table}\\1|["'\`][^"'\`]*\\b(?:FROM|INTO|JOIN|UPDATE) "?${table}\\b`, 'u'),
      new RegExp(`\\b(?:client|tx|prisma)\\.${property}\\.`, 'u'),
    ].flatMap((pattern) => pattern.exec(text)?.[0] ?? [])
  })
}

const sourcesOf = (pattern: string) =>
  globSync(pattern, { cwd: root, exclude: (path) => path.includes('generated') })

test.each(['kit', 'databases', 'schema', 'client', 'graduate'])(
  'packages/%s knows no model of this repository by name',
  (name) => {
    const sources = sourcesOf(`packages/${name}/src/**/*.ts`)
    expect(sources.length).toBeGreaterThan(0)
    expect(
      sources.flatMap((path) => namesIn(readFileSync(join(root, path), 'utf8')).map((hit) => [path, hit])),
    ).toEqual([])
  },
)

test('the check finds a name where there is one', () => {
  expect(namesIn("await database.client.account.count(); rows('SELECT * FROM users'); map('plans')")).toEqual(
    ["'SELECT * FROM users", 'client.account.', "'plans'"],
  )
})
