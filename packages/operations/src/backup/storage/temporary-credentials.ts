import { Failure } from '@outgrow/kit'

/**
 * A server that archives keeps the credentials it is given: with temporary ones it would stop hours later.
 * @throws Failure OUTGROW_OPTION_INVALID
 */
export function refuseTemporaryCredentials(env: Record<string, string | undefined>): void {
  if (!env.AWS_SESSION_TOKEN) return
  throw new Failure({
    code: 'OUTGROW_OPTION_INVALID',
    message: 'AWS_SESSION_TOKEN is set: these credentials are temporary.',
    why: 'The server keeps them, and could archive nothing once they have expired.',
    fix: 'Set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY of a user that may reach only this bucket, and unset AWS_SESSION_TOKEN.',
  })
}
