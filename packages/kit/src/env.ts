import { z } from 'zod'
import { Failure } from './failure.ts'

/**
 * Parses environment variables with a zod shape.
 * @throws Failure OUTGROW_ENV_INVALID naming each variable and what it should hold, never its value.
 */
export function parseEnv<Shape extends z.ZodRawShape>(
  shape: Shape,
  env: Record<string, string | undefined> = process.env,
): z.infer<z.ZodObject<Shape>> {
  const result = z.object(shape).safeParse(env)
  if (result.success) return result.data
  const problems = result.error.issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`)
  throw new Failure({
    code: 'OUTGROW_ENV_INVALID',
    message: `The environment is incomplete or invalid: ${problems.join('; ')}`,
    fix: 'Set the variables named above, in the environment or in .env.',
  })
}
