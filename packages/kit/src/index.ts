export { assertNever } from './assert-never.ts'
export { exit } from './exit.ts'
export { Failure, failureText, messageOf, type FailureDetails } from './failure.ts'
export { redactUrl } from './redact.ts'
