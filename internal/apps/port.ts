import { once } from 'node:events'
import { createServer } from 'node:net'
import { Failure } from '@outgrow/kit'

/** @throws Failure OUTGROW_OPTION_INVALID */
export function portOf(text: string): number {
  const port = Number(text)
  if (Number.isInteger(port) && port >= 1024 && port <= 65_000) return port
  throw new Failure({
    code: 'OUTGROW_OPTION_INVALID',
    message: `--port ${text} is not a port between 1024 and 65000.`,
    fix: 'For example --port 3000.',
  })
}

/** @throws Failure OUTGROW_PORT_IN_USE naming the first that is taken */
export async function refuseTakenPorts(ports: number[]): Promise<void> {
  for (const port of ports) {
    const server = createServer()
    const listening = once(server, 'listening')
    server.listen(port, '127.0.0.1')
    try {
      await listening
    } catch (cause) {
      throw new Failure({
        code: 'OUTGROW_PORT_IN_USE',
        message: `Port ${port} is in use.`,
        fix: 'Stop the process that listens there, or pass another --port.',
        cause,
      })
    }
    server.close()
    await once(server, 'close')
  }
}
