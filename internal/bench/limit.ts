/**
 * The limit: the same rows rendered to binary COPY files beforehand, streamed over two connections, then the same keys,
 * indexes and validated foreign keys. `node limit.ts <export folder> <ddl file>`, with the target in POSTGRES_URL.
 */
import { createReadStream, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { connectPostgres, copyIn, quoteIdentifier } from '@outgrow/databases'

const [folder = '', ddlFile = ''] = process.argv.slice(2)
interface Rendered {
  table: string
  file: string
  columns: { name: string }[]
  bytes: number
}
const { tables } = (
  JSON.parse(readFileSync(join(folder, 'manifest.json'), 'utf8')) as { transformed: { tables: Rendered[] } }
).transformed
const statements = readFileSync(ddlFile, 'utf8')
  .replaceAll(/^--.*$/gm, '')
  .split(/;\s*$/m)
  .map((text) => text.trim())
  .filter((text) => text !== '')
const url = process.env.POSTGRES_URL ?? ''
const clients = [await connectPostgres(url), await connectPostgres(url)] as const

const keys: string[] = []
for (const statement of statements.filter((text) => /^CREATE (TABLE|TYPE|SCHEMA)/.test(text))) {
  const bare = statement.replace(
    /,\s*CONSTRAINT "(\w+)" PRIMARY KEY \((.*?)\)/,
    (_, name: string, columns: string) => {
      const table = /CREATE TABLE "(\w+)"/.exec(statement)?.[1]
      keys.push(`ALTER TABLE "${table}" ADD CONSTRAINT "${name}" PRIMARY KEY (${columns})`)
      return ''
    },
  )
  await clients[0].query(bare)
}
await inParallel(
  tables.toSorted((a, b) => b.bytes - a.bytes),
  async (client, { table, file, columns }) => {
    const into = copyIn(
      client,
      `COPY "${table}" (${columns.map(({ name }) => quoteIdentifier(name)).join(', ')}) FROM STDIN (FORMAT binary)`,
    )
    into.write(Buffer.from('5047434f50590aff0d0a000000000000000000', 'hex'))
    await pipeline(createReadStream(join(folder, file), { highWaterMark: 256 * 1024 }), into, { end: false })
    await new Promise<void>((done, failed) => {
      into.once('error', failed)
      into.end(Buffer.from([0xff, 0xff]), () => done())
    })
  },
)
const indexes = statements.filter((text) => /^CREATE (UNIQUE )?INDEX/.test(text))
await inParallel([...keys, ...indexes], (client, sql) => client.query(sql))
const foreign = statements.filter((text) => text.startsWith('ALTER TABLE'))
await inParallel(foreign, async (client, sql) => {
  await client.query(`${sql} NOT VALID`)
  const [, table, name] = /ALTER TABLE ("\w+") ADD CONSTRAINT ("\w+")/.exec(sql) ?? []
  await client.query(`ALTER TABLE ${table} VALIDATE CONSTRAINT ${name}`)
})
await clients[0].query('ANALYZE')
await Promise.all(clients.map((client) => client.end()))

async function inParallel<Item>(
  items: Item[],
  work: (client: (typeof clients)[number], item: Item) => Promise<unknown>,
): Promise<void> {
  const queue = [...items]
  await Promise.all(
    clients.map(async (client) => {
      for (let item = queue.shift(); item !== undefined; item = queue.shift()) await work(client, item)
    }),
  )
}
