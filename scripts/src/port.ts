import { Failure } from '@outgrow/kit'

/** @throws Failure OUTGROW_OPTION_INVALID */
export function portOf(text: string): number {
  const port = Number(text)
  if (Number.isInteger(port) && port >= 1024 && port <= 65_000) return port
  throw new Failure({
    code: 'OUTGROW_OPTION_INVALID',
    message: `--port ${text} is no port between 1024 and 65000.`,
    fix: 'For example --port 3000.',
  })
}
