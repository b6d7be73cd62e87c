export interface ProgressEvent {
  step: string
  rows: number
  bytes: number
  /** Estimated, for the bar. */
  totalRows: number
}

/** Is called as a step advances. */
export type Progress = (event: ProgressEvent) => void
