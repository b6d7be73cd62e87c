import type { z } from 'zod'

/** What an API route is given: path parameters, and the query or the form in the route's own shape. */
interface Call<Shape extends z.ZodType> {
  id: string
  params: z.output<Shape>
}

/** Adds a route of the API: what it answers is the body, what it throws as ApiError a refusal. */
export type Api = <Shape extends z.ZodType>(
  method: 'get' | 'post' | 'delete',
  path: string,
  shape: Shape,
  answer: (call: Call<Shape>) => object,
) => void
