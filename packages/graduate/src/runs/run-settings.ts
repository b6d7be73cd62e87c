import type { SchemaSource } from '@outgrow/schema'
import type { MoveOptions } from '../model/options.ts'

/** What every run is given by whoever starts it. */
export interface RunSettings {
  /** Path of the SQLite file. */
  from: string
  /** Called once the run has begun, so that what is wrong with the schema is in its journal. */
  readSchema: () => SchemaSource
  options: MoveOptions
  /** Folder of the embedded Postgres, the journals and the rows set aside. */
  workDir: string
  signal: AbortSignal
}
