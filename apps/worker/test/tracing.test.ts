import { execFileSync } from 'node:child_process'
import { once } from 'node:events'
import { createServer, type IncomingMessage } from 'node:http'
import { text } from 'node:stream/consumers'
import { join } from 'node:path'
import { openDatabase } from '@outgrow/db'
import { startTracing } from '@outgrow/operations/monitoring'
import { makeProductDatabase } from '@outgrow/testing'
import { expect, inject, test } from 'vitest'

const secret = 'zebra-4711'

interface Attribute {
  key: string
  value: { stringValue?: string }
}

interface Traces {
  resourceSpans: {
    resource: { attributes: Attribute[] }
    scopeSpans: { spans: { name: string; parentSpanId?: string; attributes: Attribute[] }[] }[]
  }[]
}

/** A receiver of OTLP over HTTP on this machine. */
async function receiver() {
  const received: string[] = []
  const keep = async (request: IncomingMessage) => {
    received.push(`${request.method} ${request.url}\n${await text(request)}`)
  }
  const server = createServer((request, response) => {
    void keep(request).then(() => response.writeHead(200, { 'content-type': 'application/json' }).end('{}'))
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as { port: number }
  return { received, url: `http://127.0.0.1:${port}`, close: () => server.close() }
}

test.each(['sqlite', 'postgres'] as const)(
  'spans of %s reach a receiver of OTLP, with statements and without a value',
  async (provider) => {
    const { received, url, close } = await receiver()
    process.env.OTEL_EXPORTER_OTLP_ENDPOINT = url
    const tracing = await startTracing('tests')
    const made = await makeProductDatabase(provider, inject('postgresUrl'))
    const database = await openDatabase(made.url)
    const { client } = database
    const data = { key: secret, count: 4711, lastRequest: 0n }
    await tracing?.inSpan('GET /somewhere', async (span) => {
      await client.rateLimit.create({ data })
      span.set({ 'http.route': '/somewhere', 'url.query': secret })
    })
    const failing = tracing?.inSpan('failing', () => client.rateLimit.create({ data }))
    await expect(failing).rejects.toThrow(/Unique constraint/)
    await client.rateLimit.findMany({ where: { key: { contains: secret } }, take: 4711 })
    await client.$transaction((tx) =>
      tx.rateLimit.updateMany({ where: { key: secret }, data: { count: 4711 } }),
    )
    await client.$queryRawUnsafe(`SELECT '${secret}' AS a, 4711 AS b -- ${secret}`)
    await expect(client.$queryRawUnsafe(`SELECT * FROM nowhere WHERE a = '${secret}'`)).rejects.toThrow(
      /nowhere/,
    )
    await expect(client.rateLimit.findMany({ where: { [secret]: 1 } as never })).rejects.toThrow(
      /Unknown argument/,
    )
    await tracing?.stop()
    await database.close()
    await made.drop()
    close()

    expect(received.length).toBeGreaterThan(0)
    expect(received.every((one) => one.startsWith('POST /v1/traces\n'))).toBe(true)
    const everything = received.join('\n')
    expect(everything).not.toContain(secret)
    expect(everything).not.toContain('4711')
    const traces = received.map((one) => JSON.parse(one.slice(one.indexOf('\n'))) as Traces)
    const resources = traces.flatMap(({ resourceSpans }) => resourceSpans)
    const spans = resources.flatMap(({ scopeSpans }) => scopeSpans.flatMap(({ spans }) => spans))
    const named = (name: string) => spans.filter((span) => span.name === name)
    const statements = spans
      .flatMap(({ attributes }) => attributes)
      .filter(({ key }) => key === 'db.query.text')
      .map(({ value }) => value.stringValue ?? '')
    expect(JSON.stringify(resources[0]?.resource)).toContain('"tests"')
    expect(statements.some((one) => /INSERT INTO \S*rate_limits/.test(one))).toBe(true)
    expect(statements.filter((one) => one.startsWith('SELECT ? AS a, ? AS b'))).toHaveLength(1)
    expect(named('GET /somewhere')).toHaveLength(1)
    expect(named('prisma:client:operation').some(({ parentSpanId }) => parentSpanId)).toBe(true)
  },
)

test('without OTEL_EXPORTER_OTLP_ENDPOINT nothing of OpenTelemetry is loaded', () => {
  const script = `
    import { registerHooks } from 'node:module'
    const loaded = []
    registerHooks({ resolve: (name, context, next) => { const found = next(name, context); loaded.push(found.url); return found } })
    const { startTracing } = await import('@outgrow/operations/monitoring')
    const tracing = await startTracing('tests', JSON.parse(process.argv[1]))
    console.log(loaded.length > 10, tracing === undefined, loaded.some((url) => /node_modules.@opentelemetry.(?!api.)|prisma.instrumentation/.test(url)))
    process.exit()`
  const run = (env: Record<string, string>) =>
    execFileSync(process.execPath, ['--input-type=module', '-e', script, JSON.stringify(env)], {
      cwd: join(import.meta.dirname, '..'),
      encoding: 'utf8',
    }).trim()
  expect(run({})).toBe('true true false')
  expect(run({ OTEL_EXPORTER_OTLP_ENDPOINT: '' })).toBe('true true false')
  expect(run({ OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:1' })).toBe('true false true')
})
