import { Failure, messageOf, type FailureDetails } from '@outgrow/kit'

/** What is the matter with a storage. */
export type StorageProblem = 'unavailable' | 'denied' | 'full'

const details: Record<StorageProblem, { code: FailureDetails['code']; fact: string; fix: string }> = {
  denied: {
    code: 'OUTGROW_STORAGE_DENIED',
    fact: 'may not be used',
    fix: 'Give the user who runs this the right to list, read, write and delete there; for a bucket, check AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY.',
  },
  full: {
    code: 'OUTGROW_STORAGE_FULL',
    fact: 'has no room left',
    fix: 'Free some space there, for example with `outgrow backup prune`, or use another storage.',
  },
  unavailable: {
    code: 'OUTGROW_STORAGE_UNAVAILABLE',
    fact: 'cannot be used',
    fix: 'Check that it exists and can be reached from here; for a bucket, check AWS_ENDPOINT_URL_S3 and AWS_REGION.',
  },
}

/** The failure of a storage, named. */
export function storageFailure(problem: StorageProblem, description: string, cause: unknown): Failure {
  const { code, fact, fix } = details[problem]
  return new Failure({ code, message: `${description} ${fact}: ${messageOf(cause)}`, fix, cause })
}

export function objectMissing(description: string, key: string): Failure {
  return new Failure({
    code: 'OUTGROW_BACKUP_OBJECT_MISSING',
    message: `${key} is not in ${description}.`,
    why: 'A part of the backup was removed, or its upload was never finished.',
    fix: 'Restore another backup; `outgrow backup list` shows which are whole.',
  })
}

export function objectExists(description: string, key: string): Failure {
  return new Failure({
    code: 'OUTGROW_STORAGE_EXISTS',
    message: `${key} is in ${description} already.`,
    why: 'It is written once and never replaced.',
    fix: 'Use a storage of its own for each database.',
  })
}
