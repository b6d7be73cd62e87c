import { LiveFile } from '../../source/sqlite/live/live-file.ts'
import type { Step } from '../step.ts'
import type { GraduateRequest } from './graduate-request.ts'

export interface OpenedFile {
  file: LiveFile
  /** Of the file, before anything was looked at. */
  schemaVersion: number
}

export const openFile: Step<OpenedFile, GraduateRequest> = {
  name: 'file',
  title: 'Open the file',
  run: async ({ request, defer }) => {
    const file = new LiveFile(request.path)
    defer(() => file[Symbol.dispose]())
    return { value: { file, schemaVersion: file.schemaVersion } }
  },
}
