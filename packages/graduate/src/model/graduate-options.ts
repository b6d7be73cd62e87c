/** What a graduation is asked for, beyond a move. */
export interface GraduateOptions {
  /** Its name, and that of the run that copies the rows. */
  graduation: string
  /** Folder for the copy of the file from which the rows are loaded. */
  folder: string
  /** Entries of the log of changes, on either side, beyond which nothing is captured any more. */
  maxLog: number
}

/** As many changes as an application makes in a day of eleven a second; a few hundred MB. */
export const defaultMaxLog = 1_000_000
