import { Readable } from 'node:stream'
import { setTimeout as sleep } from 'node:timers/promises'
import {
  AbortMultipartUploadCommand,
  DeleteObjectCommand,
  DeleteObjectsCommand,
  GetObjectCommand,
  HeadObjectCommand,
  ListMultipartUploadsCommand,
  ListObjectsV2Command,
  paginateListObjectsV2,
  paginateListParts,
  S3Client,
  type ListMultipartUploadsCommandOutput,
  type ListPartsCommandInput,
} from '@aws-sdk/client-s3'
import { Upload } from '@aws-sdk/lib-storage'
import type { PutOptions, Storage, StoredObject, UnfinishedUpload } from '../model/storage.ts'
import { isLostConnection, isMissing, isNotImplemented, isNotUnderstood, s3Failure } from './s3-failure.ts'
import { objectExists, objectMissing } from './storage-failure.ts'

/** Two of them are in memory at a time. With 10,000 at most, an object of unknown size may have 160 GB. */
const partBytes = 16 * 1024 * 1024

/** Backups in a bucket of S3, or of what is compatible with it, by AWS' own environment variables. */
export class S3Storage implements Storage {
  readonly description: string
  readonly #client: S3Client
  readonly #bucket: string
  readonly #prefix: string

  /** @param prefix without slashes at its ends; may be empty */
  constructor(bucket: string, prefix: string, env: Record<string, string | undefined> = process.env) {
    this.description = `s3://${bucket}${prefix === '' ? '' : `/${prefix}`}`
    this.#bucket = bucket
    this.#prefix = prefix === '' ? '' : `${prefix}/`
    const isCompatible = Boolean(env.AWS_ENDPOINT_URL_S3 ?? env.AWS_ENDPOINT_URL)
    this.#client = new S3Client({
      // Others than AWS have no regions, or take any.
      ...(isCompatible ? { region: env.AWS_REGION ?? 'us-east-1', forcePathStyle: true } : {}),
      // Many of the compatible ones refuse the newer checksums; every object has its own.
      requestChecksumCalculation: 'WHEN_REQUIRED',
      responseChecksumValidation: 'WHEN_REQUIRED',
      requestHandler: { connectionTimeout: 10_000, socketTimeout: 60_000 },
    })
  }

  async prepare(): Promise<void> {
    await this.#asked(() =>
      this.#client.send(new ListObjectsV2Command({ Bucket: this.#bucket, Prefix: this.#prefix, MaxKeys: 1 })),
    )
  }

  async put(key: string, body: AsyncIterable<Uint8Array>, options: PutOptions = {}): Promise<void> {
    const { ifAbsent = false, expectedBytes = 0, signal } = options
    // Not all of them know the header that refuses to replace.
    if (ifAbsent && (await this.#isThere(key))) throw objectExists(this.description, key)
    const watched = new WatchedBody()
    const upload = new Upload({
      client: this.#client,
      params: {
        ...this.#at(key),
        Body: Readable.from(watched.of(body, signal)),
        ...(ifAbsent ? { IfNoneMatch: '*' } : {}),
      },
      queueSize: 2,
      partSize: Math.max(partBytes, Math.ceil((expectedBytes * 1.1) / 9000)),
    })
    try {
      await upload.done() // a failure aborts the multipart
    } catch (error) {
      if (watched.failure) throw watched.failure.error
      if ((error as { name?: string }).name === 'PreconditionFailed')
        throw objectExists(this.description, key)
      throw s3Failure(this.description, error)
    }
  }

  async *get(key: string, signal?: AbortSignal): AsyncIterable<Uint8Array> {
    const read = { bytes: 0, etag: undefined as string | undefined, failures: 0 }
    for (;;) {
      try {
        const rest = read.bytes === 0 ? {} : { Range: `bytes=${read.bytes}-`, IfMatch: read.etag }
        const command = new GetObjectCommand({ ...this.#at(key), ...rest })
        const { Body, ETag } = await this.#client.send(command, signal ? { abortSignal: signal } : {})
        read.etag = ETag
        if (!(Body instanceof Readable)) throw new Error('the answer has no body')
        for await (const bytes of Body as AsyncIterable<Uint8Array>) {
          read.bytes += bytes.length
          read.failures = 0
          yield bytes
        }
        return
      } catch (error) {
        signal?.throwIfAborted()
        if (isMissing(error)) throw objectMissing(this.description, key)
        // A connection that is lost after hours goes on where it was.
        if (read.bytes === 0 || !isLostConnection(error) || ++read.failures > 3)
          throw s3Failure(this.description, error)
        await sleep(500 * read.failures, undefined, signal ? { signal } : {})
      }
    }
  }

  async *list(prefix: string, signal?: AbortSignal): AsyncIterable<StoredObject> {
    const pages = paginateListObjectsV2(
      { client: this.#client },
      { Bucket: this.#bucket, Prefix: this.#prefix + prefix },
      ...(signal ? [{ abortSignal: signal }] : []),
    )
    try {
      for await (const { Contents } of pages) {
        signal?.throwIfAborted()
        for (const { Key, Size, LastModified } of Contents ?? []) {
          if (Key === undefined || LastModified === undefined) continue
          yield { key: Key.slice(this.#prefix.length), sizeBytes: Size ?? 0, modifiedAt: LastModified }
        }
      }
    } catch (error) {
      signal?.throwIfAborted()
      throw s3Failure(this.description, error)
    }
  }

  async remove(keys: string[]): Promise<void> {
    for (let at = 0; at < keys.length; at += 1000) {
      const some = keys.slice(at, at + 1000)
      await this.#asked(async () => {
        try {
          await this.#removeTogether(some)
        } catch (error) {
          if (!isNotUnderstood(error)) throw error
          for (const key of some) await this.#client.send(new DeleteObjectCommand(this.#at(key)))
        }
      })
    }
  }

  /** Not all of the compatible ones know how, or take the checksum that comes with it. */
  async #removeTogether(keys: string[]): Promise<void> {
    const Delete = { Objects: keys.map((key) => ({ Key: this.#prefix + key })), Quiet: true }
    const { Errors } = await this.#client.send(new DeleteObjectsCommand({ Bucket: this.#bucket, Delete }))
    const [first] = Errors ?? []
    if (first)
      throw Object.assign(new Error(first.Message), { name: first.Code, $metadata: { httpStatusCode: 403 } })
  }

  async *unfinished(): AsyncIterable<UnfinishedUpload> {
    const at = { Bucket: this.#bucket, Prefix: this.#prefix }
    let from: { KeyMarker?: string | undefined; UploadIdMarker?: string | undefined } | undefined = {}
    while (from) {
      const page: ListMultipartUploadsCommandOutput | undefined = await this.#client
        .send(new ListMultipartUploadsCommand({ ...at, ...from }))
        .catch((error: unknown) => {
          if (isNotImplemented(error)) return undefined // it keeps none, or does not tell
          throw s3Failure(this.description, error)
        })
      for (const { Key = '', UploadId, Initiated = new Date() } of page?.Uploads ?? []) {
        if (!Key.startsWith(this.#prefix)) continue // not all of the compatible ones look at it
        const command = new AbortMultipartUploadCommand({ Bucket: this.#bucket, Key, UploadId })
        const remove = async () => {
          await this.#asked(() => this.#client.send(command))
        }
        const lastActiveAt = () => this.#newestPartOf({ Bucket: this.#bucket, Key, UploadId }, Initiated)
        yield { key: Key.slice(this.#prefix.length), lastActiveAt, remove }
      }
      from = page?.IsTruncated
        ? { KeyMarker: page.NextKeyMarker, UploadIdMarker: page.NextUploadIdMarker }
        : undefined
    }
  }

  async #newestPartOf(upload: ListPartsCommandInput, initiated: Date): Promise<Date | undefined> {
    let newest = initiated.getTime()
    try {
      for await (const { Parts } of paginateListParts({ client: this.#client }, upload))
        for (const { LastModified } of Parts ?? []) newest = Math.max(newest, LastModified?.getTime() ?? 0)
      return new Date(newest)
    } catch (error) {
      if ((error as { name?: string }).name === 'NoSuchUpload') return undefined
      throw s3Failure(this.description, error)
    }
  }

  #at(key: string): { Bucket: string; Key: string } {
    return { Bucket: this.#bucket, Key: this.#prefix + key }
  }

  async #isThere(key: string): Promise<boolean> {
    try {
      await this.#client.send(new HeadObjectCommand(this.#at(key)))
      return true
    } catch (error) {
      if (isMissing(error)) return false
      throw s3Failure(this.description, error)
    }
  }

  async #asked<Result>(ask: () => Promise<Result>): Promise<Result> {
    try {
      return await ask()
    } catch (error) {
      throw s3Failure(this.description, error)
    }
  }
}

/** A body whose own errors can be told from those of the storage that it goes to. */
class WatchedBody {
  failure: { error: unknown } | undefined

  async *of(body: AsyncIterable<Uint8Array>, signal?: AbortSignal): AsyncIterable<Uint8Array> {
    try {
      for await (const bytes of body) {
        signal?.throwIfAborted()
        yield bytes
      }
    } catch (error) {
      this.failure = { error }
      throw error
    }
  }
}
