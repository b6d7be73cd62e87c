import { execFileSync } from 'node:child_process'
import { join } from 'node:path'
import { openSqlite } from '@outgrow/databases'
import { makeSampleDatabase, until, type LiveGraduation } from '@outgrow/testing'
import { afterEach, beforeEach, expect, inject, test } from 'vitest'
import { makeGraduation, openGraduating } from './graduating.ts'

let graduation: LiveGraduation
beforeEach(async () => {
  graduation = await makeGraduation()
})
afterEach(() => graduation.drop())

const seen = () => graduation.processes()

test('a process registers while there is a graduation, says that it is alive, and takes its row away', async () => {
  const early = await openGraduating(graduation)
  await graduation.begin()
  await until(() => seen()[0]?.reaches === true) // it has looked by itself
  const [row] = seen()
  expect(row).toMatchObject({ pid: process.pid, problem: null, epoch: 1, name: expect.any(String) as string })
  await until(() => seen()[0]?.seenAt !== row?.seenAt)
  // One file is one client, and one row.
  const second = await openGraduating(graduation)
  await second.close()
  expect(seen().map(({ id }) => id)).toEqual([row?.id])
  await early.close()
  expect(seen()).toEqual([])
  const late = await openGraduating(graduation)
  expect(seen()).toHaveLength(1) // at once
  await graduation.cancel()
  await late.client.label.create({ data: { name: 'cancelled' } })
  expect(await late.client.label.count()).toBe(1)
  await late.close()
})

test('a row says why a process cannot follow, without secrets; its operations say so from the switch on', async () => {
  const other = await makeSampleDatabase('postgres', inject('postgresUrl'))
  const unreachable = 'postgresql://app:topsecret@127.0.0.1:1/app'
  for (const [postgresUrl, code] of [
    ['', 'OUTGROW_AUTHORITY_URL'],
    [other.url, 'OUTGROW_AUTHORITY_TARGET'],
    [unreachable, 'OUTGROW_POSTGRES_UNREACHABLE'],
  ] as const) {
    const one = await makeGraduation()
    const database = await openGraduating(one, { postgresUrl })
    await one.begin()
    await until(() => one.processes()[0]?.reaches === false)
    expect(one.processes()[0]?.problem).toMatch(new RegExp(`^${code}: `))
    expect(one.processes()[0]?.problem).not.toContain('topsecret')
    await database.client.label.create({ data: { name: 'goes on' } })
    await one.forward()
    // Never another database: every operation says what is wrong.
    await expect(database.client.label.count()).rejects.toMatchObject({ code })
    let calls = 0
    await expect(database.client.$transaction(async () => calls++)).rejects.toMatchObject({ code })
    expect([calls, database.provider]).toEqual([0, 'sqlite'])
    await database.close()
    await one.drop()
  }
  await other.drop()
})

test('a process that starts after the switch opens Postgres, or fails in words; and it can go back', async () => {
  const first = await openGraduating(graduation)
  await first.client.label.create({ data: { name: 'kept' } })
  await graduation.begin()
  await graduation.forward()
  await first.close()
  const other = await makeSampleDatabase('postgres', inject('postgresUrl'))
  await expect(openGraduating(graduation, { postgresUrl: '' })).rejects.toMatchObject({
    code: 'OUTGROW_AUTHORITY_URL',
  })
  await expect(openGraduating(graduation, { postgresUrl: other.url })).rejects.toMatchObject({
    code: 'OUTGROW_AUTHORITY_TARGET',
  })
  await other.drop()
  const database = await openGraduating(graduation)
  expect(database.provider).toBe('postgres')
  expect(database.url).toBe(graduation.postgresUrl)
  const { label } = database.client
  await label.create({ data: { name: 'there' } })
  await until(() => seen().some(({ reaches, epoch }) => reaches === true && epoch === 2))
  await graduation.back()
  expect(await label.findMany({ select: { name: true }, orderBy: { name: 'asc' } })).toEqual([
    { name: 'kept' },
    { name: 'there' },
  ])
  expect([database.provider, database.url]).toEqual(['sqlite', graduation.url])
  await database.close()
})

test('once a graduation is complete the small file leads to Postgres, and who has the old one open stays there', async () => {
  const database = await openGraduating(graduation)
  await database.client.label.create({ data: { name: 'kept' } })
  await graduation.begin()
  await graduation.forward()
  expect(await database.client.label.count()).toBe(1)
  await graduation.complete()
  expect(await database.client.label.count()).toBe(1)
  await until(() => seen().length === 0)
  await database.client.$transaction((tx) => tx.label.create({ data: { name: 'after' } }))
  await database.close()
  const size = graduation.inSqlite<{ name: string }>("SELECT name FROM sqlite_schema WHERE type = 'table'")
  expect(size.map(({ name }) => name).toSorted()).toEqual(['_outgrow_authority', '_outgrow_process'])
  const again = await openGraduating(graduation)
  expect([again.provider, await again.client.label.count()]).toEqual(['postgres', 2])
  expect(seen()).toEqual([])
  await again.close()
  await expect(openGraduating(graduation, { postgresUrl: '' })).rejects.toMatchObject({
    code: 'OUTGROW_AUTHORITY_URL',
  })
})

test('registering waits for nobody, and keeps no process alive', async () => {
  await graduation.begin()
  const file = openSqlite(graduation.path)
  file.exec('BEGIN IMMEDIATE')
  const database = await openGraduating(graduation)
  expect(await database.client.label.count()).toBe(0)
  expect(seen()).toEqual([])
  file.exec('COMMIT')
  file.close()
  await until(() => seen()[0]?.reaches === true)
  await database.close()
  const script = join(import.meta.dirname, 'open-and-leave.ts')
  const env = { ...process.env, POSTGRES_URL: graduation.postgresUrl }
  const left = execFileSync(process.execPath, [script, graduation.url], { env, encoding: 'utf8' })
  expect(left).toBe('sqlite')
  expect(seen().map(({ name }) => name)).toEqual(['client/test/open-and-leave.ts']) // its row shows when it was last seen
})
