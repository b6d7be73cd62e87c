import { statfsSync } from 'node:fs'
import { dirname } from 'node:path'
import { parseDatabaseUrl } from '@outgrow/databases'
import type { MeasuredDatabase } from './database.ts'
import type { MetricGroup } from './family.ts'

const families = [
  {
    name: 'outgrow_disk_free_bytes',
    type: 'gauge',
    help: 'Room on the disk of the work folder, and of an SQLite file, by disk',
  },
  {
    name: 'outgrow_disk_size_bytes',
    type: 'gauge',
    help: 'Size of the disk of the work folder, and of an SQLite file, by disk',
  },
] as const

/** The disks that the process itself can see: a Postgres on another machine has its own. */
export function diskGroup(database: MeasuredDatabase, workDirectory: string): MetricGroup {
  return {
    name: 'disk',
    families,
    read: () => {
      const url = parseDatabaseUrl(database.url)
      const folders = { work: workDirectory, ...(url.kind === 'sqlite' && { database: dirname(url.path) }) }
      return Object.entries(folders).flatMap(([disk, folder]) => {
        const { bavail, blocks, bsize } = statfsSync(folder)
        return [
          { name: 'outgrow_disk_free_bytes', labels: { disk }, value: bavail * bsize },
          { name: 'outgrow_disk_size_bytes', labels: { disk }, value: blocks * bsize },
        ]
      })
    },
  }
}
