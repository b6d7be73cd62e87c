export { assertNever } from './assert-never.ts'
export { parseEnv } from './env.ts'
export { Failure, messageOf, type FailureDetails } from './failure.ts'
export { redactUrl } from './redact.ts'
