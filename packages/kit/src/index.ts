export { assertNever } from './assert-never.ts'
export { Failure, failureText, messageOf, type FailureDetails } from './failure.ts'
export { redactUrl } from './redact.ts'
