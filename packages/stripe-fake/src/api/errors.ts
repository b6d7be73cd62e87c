/** An error as Stripe answers it: `{error: {type, code, message, param}}` with a status. */
export class ApiError extends Error {
  readonly status: number
  readonly type: string
  readonly code: string | undefined
  readonly param: string | undefined
  readonly headers: Record<string, string>
  /** The id that nothing has. */
  readonly missing: string | undefined

  constructor(
    status: number,
    message: string,
    details: {
      type?: string
      code?: string
      param?: string
      headers?: Record<string, string>
      missing?: string
    } = {},
  ) {
    super(message)
    this.status = status
    this.type = details.type ?? (status >= 500 ? 'api_error' : 'invalid_request_error')
    this.code = details.code
    this.param = details.param
    this.headers = details.headers ?? {}
    this.missing = details.missing
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
export function noSuch(kind: string, id: string): ApiError {
  return new ApiError(404, `No such ${kind}: '${id}'`, {
    code: 'resource_missing',
    param: 'id',
    missing: id,
  })
}

/** Where a parameter named what is missing, and not the address, it is that parameter's fault: 400 instead of 404. */
export function blamedOn(params: unknown, error: ApiError): ApiError {
  const { missing, message } = error
  const param = missing === undefined ? undefined : pathTo(params, missing)
  return param === undefined ? error : new ApiError(400, message, { code: 'resource_missing', param })
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
