import type { Attributes } from '@opentelemetry/api'
import { Failure, messageOf } from '@outgrow/kit'
import { scrubbing } from './scrub.ts'

/** Spans of one process. */
export interface Tracing {
  /** Runs `work` in a span, which the spans of what it asks of the database are in. */
  inSpan<Result>(
    name: string,
    work: (span: { set(attributes: Attributes): void; rename(name: string): void }) => Promise<Result>,
  ): Promise<Result>
  /** Sends what was not sent yet, and waits a moment for it. */
  stop(): Promise<void>
}

/** Who stops does not wait longer for a receiver that is away. */
const lastSendMs = 3000

/**
 * Sends OpenTelemetry spans of Prisma's operations and of the application's own work to a receiver of OTLP over HTTP. It is
 * named by the standard variable OTEL_EXPORTER_OTLP_ENDPOINT; without it nothing of OpenTelemetry is loaded.
 * The other standard variables apply, such as OTEL_EXPORTER_OTLP_HEADERS and OTEL_TRACES_SAMPLER.
 * @throws Failure OUTGROW_ENV_INVALID
 */
export async function startTracing(
  service: string,
  env: Record<string, string | undefined> = process.env,
): Promise<Tracing | undefined> {
  if (!env.OTEL_EXPORTER_OTLP_ENDPOINT) return undefined
  const [api, sdk, { OTLPTraceExporter }, { resourceFromAttributes }, prisma] = await loadOpenTelemetry()
  // A request that hangs would keep the process that long.
  const timeoutMillis = Number(env.OTEL_EXPORTER_OTLP_TIMEOUT ?? lastSendMs)
  const provider = new sdk.NodeTracerProvider({
    resource: resourceFromAttributes({ 'service.name': env.OTEL_SERVICE_NAME ?? service }),
    spanProcessors: [new sdk.BatchSpanProcessor(scrubbing(new OTLPTraceExporter({ timeoutMillis })))],
  })
  provider.register()
  const instrumentation = new prisma.PrismaInstrumentation()
  instrumentation.setTracerProvider(provider)
  instrumentation.enable()
  const tracer = provider.getTracer('outgrow')
  return {
    inSpan: (name, work) =>
      tracer.startActiveSpan(name, async (span) => {
        try {
          return await work({
            set: (attributes) => span.setAttributes(attributes),
            rename: (name) => span.updateName(name),
          })
        } catch (error) {
          span.setStatus({ code: api.SpanStatusCode.ERROR })
          throw error
        } finally {
          span.end()
        }
      }),
    stop: async () => {
      instrumentation.disable()
      const late = new Promise<void>((done) => setTimeout(done, lastSendMs).unref())
      await Promise.race([provider.shutdown().catch(() => {}), late])
    },
  }
}

function loadOpenTelemetry() {
  return Promise.all([
    import('@opentelemetry/api'),
    import('@opentelemetry/sdk-trace-node'),
    import('@opentelemetry/exporter-trace-otlp-http'),
    import('@opentelemetry/resources'),
    import('@prisma/instrumentation'),
  ]).catch((cause: unknown) => {
    if ((cause as { code?: string }).code !== 'ERR_MODULE_NOT_FOUND') throw cause
    throw new Failure({
      code: 'OUTGROW_ENV_INVALID',
      message: `OTEL_EXPORTER_OTLP_ENDPOINT is set, and OpenTelemetry is not installed: ${messageOf(cause)}`,
      fix: 'npm install @opentelemetry/api @opentelemetry/sdk-trace-node @opentelemetry/exporter-trace-otlp-http @opentelemetry/resources @prisma/instrumentation, or remove the variable.',
      cause,
    })
  })
}
