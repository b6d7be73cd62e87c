/** An error as Stripe answers it: `{error: {type, code, message, param}}` with a status. */
export class ApiError extends Error {
  readonly status: number
  readonly type: string
  readonly code: string | undefined
  readonly param: string | undefined
  readonly headers: Record<string, string>

  constructor(
    status: number,
    message: string,
    details: { type?: string; code?: string; param?: string; headers?: Record<string, string> } = {},
  ) {
    super(message)
    this.status = status
    this.type = details.type ?? (status >= 500 ? 'api_error' : 'invalid_request_error')
    this.code = details.code
    this.param = details.param
    this.headers = details.headers ?? {}
  }

  get body(): { error: object } {
    const { type, code, message, param } = this
    const page =
      code === undefined ? undefined : `https://stripe.com/docs/error-codes/${code.replaceAll('_', '-')}`
    return { error: { type, code, doc_url: page, message, param } }
  }

  toResponse(): Response {
    return Response.json(this.body, { status: this.status, headers: this.headers })
  }
}

/** An id that nothing has. */
export class NoSuch extends ApiError {
  readonly missing: string

  constructor(kind: string, id: string, param = 'id') {
    super(param === 'id' ? 404 : 400, `No such ${kind}: '${id}'`, { code: 'resource_missing', param })
    this.missing = id
    this.kind = kind
  }

  private readonly kind: string

  /** Where a parameter named it, and not the address, it is that parameter's fault: 400 instead of 404. */
  ofRequest(params: unknown): ApiError {
    const param = pathTo(params, this.missing)
    return param === undefined ? this : new NoSuch(this.kind, this.missing, param)
  }
}

export function noSuch(kind: string, id: string): ApiError {
  return new NoSuch(kind, id)
}

function pathTo(params: unknown, value: string): string | undefined {
  if (typeof params !== 'object' || params === null) return undefined
  for (const [name, inner] of Object.entries(params)) {
    if (inner === value) return name
    const [first, ...others] = pathTo(inner, value)?.split(/(?=\[)/) ?? []
    if (first !== undefined) return `${name}[${first}]${others.join('')}`
  }
  return undefined
}

/** A time that should lie ahead. */
export function past(param: string): ApiError {
  return new ApiError(400, `Invalid timestamp: ${param} must be in the future.`, { param })
}
