import qs from 'qs'
import type { z } from 'zod'
import { ApiError } from './errors.ts'

/** Parameters as stripe-node sends them: `items[0][price]=…` in a form or in the query. */
export function parseForm(text: string): Record<string, unknown> {
  return qs.parse(text, { depth: 8, arrayLimit: 1000, parameterLimit: 2000 })
}

/** The parameters of a route, or Stripe's error for the first that is wrong. */
export function parseParams<Shape extends z.ZodType>(shape: Shape, params: unknown): z.output<Shape> {
  const result = shape.safeParse(params, { reportInput: true })
  if (result.success) return result.data
  throw refusalOf(result.error.issues)
}

/** What is unknown comes first, as at Stripe. */
function refusalOf(issues: z.core.$ZodIssue[]): ApiError {
  const all = issues.map((issue) => deepest(issue, []))
  const issue = all.find(({ code }) => code === 'unrecognized_keys') ?? all[0]
  if (!issue) return new ApiError(400, 'Invalid request.')
  const param = nameOf(issue.path)
  const invalid = (message: string, code?: string) =>
    new ApiError(400, message, code === undefined ? { param } : { param, code })
  if (issue.code === 'unrecognized_keys') {
    const names = issue.keys.map((key) => nameOf([...issue.path, key]))
    return new ApiError(
      400,
      `Received unknown parameter${names.length > 1 ? 's' : ''}: ${names.join(', ')}`,
      {
        param: names[0] as string,
        code: 'parameter_unknown',
      },
    )
  }
  if (issue.input === undefined) return invalid(`Missing required param: ${param}.`, 'parameter_missing')
  if (issue.input === '') {
    return invalid(
      `You passed an empty string for '${param}'. It cannot be unset: leave it out, or pass a value.`,
      'parameter_invalid_empty',
    )
  }
  if (issue.code === 'invalid_value') {
    const values = issue.values.map(String)
    const all =
      values.length > 1 ? `one of ${values.slice(0, -1).join(', ')}, or ${values.at(-1)}` : values[0]
    return invalid(`Invalid ${param}: must be ${all}`)
  }
  const given = typeof issue.input === 'string' ? issue.input : JSON.stringify(issue.input)
  if (issue.code === 'invalid_format') {
    return invalid(
      `Invalid ${issue.format}: ${given}`,
      issue.format === 'integer' ? 'parameter_invalid_integer' : undefined,
    )
  }
  if (issue.code === 'custom') return invalid(issue.message, 'parameter_invalid_integer')
  if (issue.code === 'invalid_type') return invalid(`Invalid ${issue.expected}: ${given}`)
  return invalid(`Invalid ${param}: ${given}`)
}

/** Of alternatives the last is what was meant: the others are single words. */
function deepest(issue: z.core.$ZodIssue, parents: PropertyKey[]): z.core.$ZodIssue {
  const path = [...parents, ...issue.path]
  if (issue.code !== 'invalid_union') return { ...issue, path }
  const inner = issue.errors.at(-1)?.[0]
  return inner ? deepest({ input: issue.input, ...inner } as z.core.$ZodIssue, path) : { ...issue, path }
}

function nameOf([first, ...others]: PropertyKey[]): string {
  return [String(first ?? ''), ...others.map((part) => `[${String(part)}]`)].join('')
}
