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

export function noSuch(kind: string, id: string): ApiError {
  return new ApiError(404, `No such ${kind}: '${id}'`, { code: 'resource_missing', param: 'id' })
}
