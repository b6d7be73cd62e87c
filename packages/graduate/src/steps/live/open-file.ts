import { accessSync, constants, existsSync } from 'node:fs'
import { dirname } from 'node:path'
import { Failure } from '@outgrow/kit'
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
    refuseReadOnly(request.path)
    const file = new LiveFile(request.path)
    defer(() => file[Symbol.dispose]())
    return { value: { file, schemaVersion: file.schemaVersion } }
  },
}

/** @throws Failure OUTGROW_SOURCE_UNREADABLE */
function refuseReadOnly(path: string): void {
  for (const one of [dirname(path), path, `${path}-wal`, `${path}-shm`].filter((name) => existsSync(name))) {
    try {
      accessSync(one, constants.W_OK)
    } catch (cause) {
      throw new Failure({
        code: 'OUTGROW_SOURCE_UNREADABLE',
        message: `${one} cannot be written to.`,
        why: 'A graduation logs in the file what the application changes.',
        fix: 'Run as the user that the application runs as.',
        cause,
      })
    }
  }
}
