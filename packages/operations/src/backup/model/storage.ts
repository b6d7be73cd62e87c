/** An object as a storage lists it. */
export interface StoredObject {
  key: string
  sizeBytes: number
  modifiedAt: Date
}

/** What a run that ended early left in a storage: never an object that can be read. */
export interface UnfinishedUpload {
  /** The object it was to become. */
  key: string
  /** When something was last stored of it; undefined when it has ended meanwhile. */
  lastActiveAt: () => Promise<Date | undefined>
  remove: () => Promise<void>
}

/**
 * Where backups are kept: a folder, or a bucket. Keys are made of letters, digits, `.`, `_`, `-`, and `/` between parts.
 * All methods throw Failure OUTGROW_STORAGE_UNAVAILABLE, OUTGROW_STORAGE_DENIED or OUTGROW_STORAGE_FULL, which name the storage.
 */
export interface Storage {
  /** Where that is, without secrets. */
  readonly description: string
  /** Finds out, before there is anything to store, whether objects can be put there. */
  prepare: () => Promise<void>
  /**
   * Stores an object; it appears whole, or not at all. The body is read as fast as it can be stored.
   * @throws Failure OUTGROW_STORAGE_EXISTS with `ifAbsent`, when the key is there already
   */
  put: (key: string, body: AsyncIterable<Uint8Array>, options?: PutOptions) => Promise<void>
  /** Its bytes, as they arrive. @throws Failure OUTGROW_BACKUP_OBJECT_MISSING */
  get: (key: string, signal?: AbortSignal) => AsyncIterable<Uint8Array>
  /** Whole objects whose keys start with `prefix`, in order of their keys. */
  list: (prefix: string, signal?: AbortSignal) => AsyncIterable<StoredObject>
  /** Removes objects; one that is not there is removed already. */
  remove: (keys: string[]) => Promise<void>
  /** Those of others, too, where they use the same place. */
  unfinished: () => AsyncIterable<UnfinishedUpload>
}

export interface PutOptions {
  ifAbsent?: boolean
  /** At most; undefined while nobody knows. */
  expectedBytes?: number | undefined
  signal?: AbortSignal | undefined
}
