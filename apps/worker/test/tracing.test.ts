import { execFileSync } from 'node:child_process'
import { join } from 'node:path'
import { openDatabase } from '@outgrow/db'
import { startTracing } from '@outgrow/operations/monitoring'
import { makeProductDatabase } from '@outgrow/testing'
import { startOtlpReceiver } from '@outgrow/testing/otlp-receiver'
import { expect, inject, test } from 'vitest'

const secret = 'zebra-4711'
/** So long that no span’s id or time holds it by chance. */
const number = 1_147_114_711

test.each(['sqlite', 'postgres'] as const)(
  'spans of %s reach a receiver of OTLP, with statements and without a value',
  async (provider) => {
    using receiver = await startOtlpReceiver()
    process.env.OTEL_EXPORTER_OTLP_ENDPOINT = receiver.url
    const tracing = await startTracing('tests')
    const made = await makeProductDatabase(provider, inject('postgresUrl'))
    const database = await openDatabase(made.url)
    const { client } = database
    const data = { key: secret, count: number, lastRequest: 0n }
    await tracing?.inSpan('GET /somewhere', async (span) => {
      await client.rateLimit.create({ data })
      span.set({ 'http.route': '/somewhere', 'url.query': secret })
    })
    const failing = tracing?.inSpan('failing', () => client.rateLimit.create({ data }))
    await expect(failing).rejects.toThrow(/Unique constraint/)
    await client.rateLimit.findMany({ where: { key: { contains: secret } }, take: number })
    await client.$transaction((tx) =>
      tx.rateLimit.updateMany({ where: { key: secret }, data: { count: number } }),
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

    const { received } = receiver
    expect(received.length).toBeGreaterThan(0)
    expect(new Set(received.map(({ path }) => path))).toEqual(new Set(['POST /v1/traces']))
    const everything = received.map(({ body }) => body).join('\n')
    expect(everything).not.toContain(secret)
    expect(everything).not.toContain(String(number))
    const spans = receiver.spans()
    const named = (name: string) => spans.filter((span) => span.name === name)
    const statements = spans
      .flatMap(({ attributes }) => attributes)
      .filter(({ key }) => key === 'db.query.text')
      .map(({ value }) => value.stringValue ?? '')
    expect(new Set(spans.map(({ service }) => service))).toEqual(new Set(['tests']))
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
