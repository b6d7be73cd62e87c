import { Failure } from '@outgrow/kit'
import { storageFailure, type StorageProblem } from './storage-failure.ts'

/** What an error of the SDK looks like. */
interface S3Error {
  name?: string
  message?: string
  code?: unknown
  $metadata?: { httpStatusCode?: number }
}

export function isMissing(error: unknown): boolean {
  const { name } = error as S3Error
  return name === 'NoSuchKey' || name === 'NotFound'
}

/** Whether another try may succeed: no answer came, or it ended early. */
export function isLostConnection(error: unknown): boolean {
  const { name, code, $metadata } = error as S3Error
  return $metadata?.httpStatusCode === undefined && (name === 'TimeoutError' || typeof code === 'string')
}

export function isNotImplemented(error: unknown): boolean {
  const { name, $metadata } = error as S3Error
  return name === 'NotImplemented' || $metadata?.httpStatusCode === 501
}

/** Whether a request was refused for what it is, and not for what it was asked for. */
export function isNotUnderstood(error: unknown): boolean {
  const status = (error as S3Error).$metadata?.httpStatusCode
  return status === 400 || status === 405 || isNotImplemented(error)
}

/** The failure behind an error of a bucket; one of what was to be stored there stays what it is. */
export function s3Failure(description: string, error: unknown): unknown {
  if (error instanceof Failure) return error
  const problem = problemOf(error as S3Error)
  return problem === undefined ? error : storageFailure(problem, description, error)
}

/** Names: https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html */
function problemOf({ name = '', message, code, $metadata }: S3Error): StorageProblem | undefined {
  const status = $metadata?.httpStatusCode
  if (name === 'QuotaExceeded' || name === 'EntityTooLarge' || status === 507) return 'full'
  if (/^Credentials|^InvalidAccessKeyId$|^SignatureDoesNotMatch$|^ExpiredToken$/.test(name)) return 'denied'
  if (status === 401 || status === 403) return 'denied'
  if (status !== undefined || name === 'TimeoutError') return 'unavailable'
  if (typeof code === 'string' && /^E[A-Z_]+$/.test(code)) return 'unavailable'
  return message === 'Region is missing' ? 'unavailable' : undefined
}
