import type { Params } from './params.ts'

/** What an API route is given: path parameters, and the query or the form. */
interface Call {
  id: string
  params: Params
}

/** Adds a route of the API: what it answers is the body, what it throws as ApiError a refusal. */
export type Api = (method: 'get' | 'post' | 'delete', path: string, answer: (call: Call) => object) => void
