import { once } from 'node:events'
import { createServer, type IncomingMessage } from 'node:http'
import { text } from 'node:stream/consumers'

interface Attribute {
  key: string
  value: { stringValue?: string }
}

export interface Span {
  /** Of the process that sent it. */
  service: string
  name: string
  parentSpanId?: string
  attributes: Attribute[]
}

interface Traces {
  resourceSpans: {
    resource: { attributes: Attribute[] }
    scopeSpans: { spans: Omit<Span, 'service'>[] }[]
  }[]
}

/** A receiver of OTLP over HTTP on this machine, until it is disposed of. */
export async function startOtlpReceiver() {
  const received: { path: string; body: string }[] = []
  const keep = async (request: IncomingMessage) => {
    received.push({ path: `${request.method} ${request.url}`, body: await text(request) })
  }
  const server = createServer((request, response) => {
    void keep(request).then(() => response.writeHead(200, { 'content-type': 'application/json' }).end('{}'))
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as { port: number }
  return {
    url: `http://127.0.0.1:${port}`,
    received,
    spans: (): Span[] =>
      received.flatMap(({ body }) =>
        (JSON.parse(body) as Traces).resourceSpans.flatMap(({ resource, scopeSpans }) => {
          const named = resource.attributes.find(({ key }) => key === 'service.name')
          const service = named?.value.stringValue ?? ''
          return scopeSpans.flatMap(({ spans }) => spans.map((span) => ({ ...span, service })))
        }),
      ),
    [Symbol.dispose]: () => {
      server.close()
      server.closeAllConnections()
    },
  }
}
