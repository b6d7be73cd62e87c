/** What an expected failure carries: a stable code, the fact, the reason and the way out. */
export interface FailureDetails {
  /** `OUTGROW_…`, listed in docs/errors.md. */
  code: `OUTGROW_${string}`
  /** The fact that was seen. */
  message: string
  /** Why that stops the work. */
  why?: string | undefined
  /** What to do next. */
  fix?: string
  cause?: unknown
}

/** A failure that the product expects and explains. Anything else that is thrown is a bug. */
export class Failure extends Error {
  readonly code: FailureDetails['code']
  readonly why: string | undefined
  readonly fix: string | undefined

  constructor(details: FailureDetails) {
    super(details.message, details.cause === undefined ? undefined : { cause: details.cause })
    this.name = 'Failure'
    this.code = details.code
    this.why = details.why
    this.fix = details.fix
  }
}

/** The message of anything that was thrown. */
export function messageOf(error: unknown): string {
  if (error instanceof AggregateError && error.message === '') return error.errors.map(messageOf).join('; ')
  return error instanceof Error ? error.message : String(error)
}

/** A failure as programs without a command line print it. */
export function failureText({ code, message, why, fix }: Failure): string {
  return [
    `${code}  ${message}`,
    ...(why === undefined ? [] : [`  why: ${why}`]),
    ...(fix === undefined ? [] : [`  fix: ${fix}`]),
    '',
  ].join('\n')
}
