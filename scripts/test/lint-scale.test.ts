import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { lintSource } from '@outgrow/operations'
import { schemaSourceOf } from '@outgrow/schema'
import { temporaryFolder } from '@outgrow/testing'
import { outgrow } from '@outgrow/testing/cli'
import { expect, test } from 'vitest'
import { Chance, randomSchema } from './random-schema.ts'

const sampleSchema = join(import.meta.dirname, '../../packages/sample/prisma/schema.prisma')

function schemaOf(text: string): string {
  const path = join(temporaryFolder(), 'schema.prisma')
  writeFileSync(path, `datasource db {\n  provider = "postgresql"\n}\n${text}`)
  return path
}

const lint = (...args: string[]) => outgrow(['schema', 'lint', '--scale', ...args])

test('what must change is printed with its lines, and ends with 4', async () => {
  const { code, document, stderr } = await lint('--schema', sampleSchema)
  expect(code).toBe(4)
  expect(document).toMatchObject({ command: 'schema lint', ok: false, report: { proof: null } })
  expect(stderr).toContain('Tenant: Account.id. Of the 14 other models')
  expect(stderr).toContain('- @@id([personId, itemId])')
  expect(stderr).toContain('+ @@id([accountId, personId, itemId])')
  expect(stderr).toMatch(/^Unproved: /m)
})

test('a schema that keeps the promises ends with 0, and advice does not change that', async () => {
  const schema = schemaOf(
    'model Team {\n  id Int @id\n  things Thing[]\n}\nmodel Thing {\n  teamId Int\n  id Int @default(autoincrement())\n  team Team @relation(fields: [teamId], references: [id], onUpdate: NoAction)\n  @@id([teamId, id])\n}\n',
  )
  const { code, document } = await lint('--schema', schema)
  expect(code).toBe(0)
  expect((document as unknown as { report: { findings: unknown[] } }).report.findings).toMatchObject([
    { code: 'OUTGROW_SCALE_ID', level: 'advice' },
  ])
})

test.each([
  ['model A {\n  id Int @id\n}\n', [], 'OUTGROW_TENANT_UNCLEAR'],
  ['model A {\n  id Int @id\n}\n', ['--tenant', 'B'], 'OUTGROW_TENANT_UNKNOWN'],
  ['model A {\n  id Int\n}\n', [], 'OUTGROW_SCHEMA_INVALID'],
])('the schema %j with %j ends with %s', async (text, args, expected) => {
  const { code, document } = await lint('--schema', schemaOf(text), ...args)
  expect([code, document.error?.code]).toEqual([2, expected])
})

test('of any schema and any tenant, nothing is left to change when all changes are made', () => {
  const seed = Number(process.env.OUTGROW_SEED ?? Date.now() % 1_000_000)
  const count = Number(process.env.OUTGROW_SCALE_SCHEMAS ?? 40)
  console.log(`seed ${seed}`)
  const folder = temporaryFolder()
  const left: unknown[] = []
  let linted = 0
  for (let at = 0; at < count; at++) {
    const { text, models } = randomSchema(new Chance(seed + at))
    const parents = new Set(models.flatMap((model) => model.parents.map((parent) => parent.model)))
    for (const tenant of models.filter(({ name, id }) => parents.has(name) && id.length === 1)) {
      const { problem, schema } = lintSource(schemaSourceOf(text, folder), tenant.name)
      const changed = schema[0]?.text.replace('provider = "sqlite"', 'provider = "postgresql"') ?? ''
      const again = problem === null ? lintSource(schemaSourceOf(changed, folder), tenant.name) : undefined
      const facts = again?.findings.filter(({ level }) => level === 'change').map(({ fact }) => fact) ?? [
        problem,
      ]
      if (facts.length > 0) left.push({ seed: seed + at, tenant: tenant.name, facts })
      linted++
    }
  }
  expect(left).toEqual([])
  expect(linted).toBeGreaterThan(0)
})
