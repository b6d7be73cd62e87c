import { exit, expectedFailure, Failure, messageOf, type FailureDetails } from '@outgrow/kit'
import type { ErrorReport, Finding } from '@outgrow/graduate'
import { printFindings } from '../render/findings.ts'
import type { Outcome } from './outcome.ts'
import { Terminal } from './terminal.ts'

export interface CommandContext {
  terminal: Terminal
  /** Aborted by Ctrl-C. */
  signal: AbortSignal
}

/**
 * Runs one command: `work` returns the document; what it throws becomes one. With `json`, stdout is exactly that document;
 * with `lines`, the documents that `work` itself prints.
 * @param blank the document of a run that failed before it had anything to tell
 * @param stopped what Ctrl-C leaves, and how to go on
 */
export async function runCommand<Document extends Outcome>(
  json: boolean | 'lines',
  blank: Omit<Document, 'ok' | 'exitCode' | 'error'>,
  work: (context: CommandContext) => Promise<Document>,
  stopped: Pick<FailureDetails, 'why' | 'fix'> = stoppedMove,
): Promise<void> {
  const terminal = new Terminal(json !== false)
  const stop = new AbortController()
  let asked = 0
  const onSignal = () => {
    asked++
    if (asked > 1) process.exit(exit.stopped)
    terminal.line('Stopping; press Ctrl-C again to stop immediately.')
    stop.abort(new Stopped())
  }
  process.on('SIGINT', onSignal)
  process.on('SIGTERM', onSignal)
  process.on('SIGHUP', onSignal)
  let document: Outcome
  try {
    document = await work({ terminal, signal: stop.signal })
  } catch (error) {
    document = failed(blank, error, stop.signal, stopped)
    printFindings(terminal, (document as { findings?: Finding[] }).findings ?? [])
    printFailure(terminal, document.error as ErrorReport, error)
  } finally {
    process.off('SIGINT', onSignal)
    process.off('SIGTERM', onSignal)
    process.off('SIGHUP', onSignal)
  }
  if (json === true) process.stdout.write(`${JSON.stringify(document, null, 2)}\n`)
  process.exitCode = document.exitCode
}

class Stopped extends Error {
  constructor() {
    super('stopped')
  }
}

const stoppedMove = {
  why: 'The source and the published tables are unchanged.',
  fix: 'If a move was in progress, continue it with --resume or undo it with --abort.',
}

function failed(
  blank: object,
  error: unknown,
  signal: AbortSignal,
  stopped: Pick<FailureDetails, 'why' | 'fix'>,
): Outcome {
  const failure = signal.aborted
    ? new Failure({ code: 'OUTGROW_STOPPED', message: 'Stopped on request.', ...stopped })
    : expectedFailure(error)
  const known = failure instanceof Failure
  return {
    ...blank,
    ...(known && 'findings' in failure ? { findings: failure.findings } : {}),
    ok: false,
    exitCode: signal.aborted ? exit.stopped : known ? exit.expected : exit.bug,
    error: known
      ? { code: failure.code, message: failure.message, why: failure.why ?? null, fix: failure.fix ?? null }
      : { code: 'OUTGROW_BUG', message: messageOf(failure), why: 'This is a bug in Outgrow.', fix: null },
  } as Outcome
}

function printFailure(terminal: Terminal, { code, message, why, fix }: ErrorReport, error: unknown): void {
  terminal.line(`${terminal.style('red', code)}  ${message}`)
  if (why !== null) terminal.line(`  why: ${why}`)
  if (fix !== null) terminal.line(`  fix: ${fix}`)
  if (code === 'OUTGROW_BUG' && error instanceof Error) terminal.line(error.stack ?? '')
}
