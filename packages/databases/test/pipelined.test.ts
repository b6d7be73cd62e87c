import { connectPostgres, pipelined, type PostgresClient } from '@outgrow/databases'
import { makeDatabase, type TestDatabase } from '@outgrow/testing'
import { afterAll, beforeAll, expect, inject, test } from 'vitest'

let database: TestDatabase
let client: PostgresClient

beforeAll(async () => {
  database = await makeDatabase(inject('postgresUrl'))
  client = await connectPostgres(database.url)
})

afterAll(async () => {
  await client.end()
  await database.drop()
})

test('answers come in the order of their queries, and what was sent first runs first', async () => {
  const [, , counted] = await pipelined(client, () => [
    client.query('CREATE TABLE t (id int)'),
    client.query('INSERT INTO t SELECT generate_series(1, $1::int)', [3]),
    client.query<{ rows: number }>('SELECT count(*)::int AS rows FROM t'),
  ])
  expect(counted.rows).toEqual([{ rows: 3 }])
  expect(await pipelined(client, () => [])).toEqual([])
})

test('one stands within another', async () => {
  const inner = () => pipelined(client, () => [client.query<{ n: number }>('SELECT 1 AS n')])
  const [[first], last] = await pipelined(client, () => [
    inner(),
    client.query<{ n: number }>('SELECT 2 AS n'),
  ])
  expect([first.rows, last.rows]).toEqual([[{ n: 1 }], [{ n: 2 }]])
  expect(client.pipeline).toBe(false)
})

test('in a transaction the first failure is thrown, not those that follow from it, and the connection goes on', async () => {
  await client.query('BEGIN')
  const sent = pipelined(client, () => [
    client.query('SELECT 1'),
    client.query('SELECT 1 / $1::int', [0]),
    client.query('SELECT nothing'),
  ])
  await expect(sent).rejects.toMatchObject({ code: '22012', message: 'division by zero' })
  await client.query('ROLLBACK')
  expect((await client.query('SELECT 1 AS one')).rows).toEqual([{ one: 1 }])
})

test('a connection that ends meanwhile fails all that was sent', async () => {
  const other = await connectPostgres(database.url)
  const { rows } = await other.query<{ pid: number }>('SELECT pg_backend_pid() AS pid')
  const sent = pipelined(other, () => [other.query('SELECT pg_sleep(60)'), other.query('SELECT 1')])
  sent.catch(() => {}) // awaited below, and it may fail before
  await client.query('SELECT pg_terminate_backend($1)', [rows[0]?.pid])
  await expect(sent).rejects.toMatchObject({ code: '57P01' })
})
