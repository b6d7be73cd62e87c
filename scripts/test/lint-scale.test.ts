import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { temporaryFolder } from '@outgrow/testing'
import { outgrow } from '@outgrow/testing/cli'
import { expect, test } from 'vitest'

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
  expect(stderr).toContain('Tenant: Account.id. Of the 13 other models')
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
