import { readFileSync, statSync } from 'node:fs'
import { endianness } from 'node:os'

/** What the `-shm` file says about the WAL. */
export interface WalIndex {
  /** Pages that were written to the WAL since it began anew. */
  frames: number
  /** Those of them that are in the file already. */
  checkpointed: number
  pageBytes: number
  /** Processes that read an older state of the database, and up to which page of the WAL. Known on Linux only. */
  readers: { pid: number; frame: number }[]
}

/** Offsets in the wal-index; source: "WAL-mode File Format" of SQLite's documentation. */
const offset = { pageSize: 14, mxFrame: 16, backfill: 96, readMarks: 100, locks: 120 }
/** Lock bytes before those of the read marks: write, checkpoint, recover. */
const locksBefore = 3
const marks = 5

/** Reads the index from outside, without a lock. Undefined when no process has the file open in WAL mode. */
export function readWalIndex(path: string): WalIndex | undefined {
  let bytes: Buffer
  try {
    bytes = readFileSync(`${path}-shm`)
  } catch {
    return undefined
  }
  if (bytes.length < offset.locks) return undefined
  const at = (position: number) =>
    endianness() === 'LE' ? bytes.readUInt32LE(position) : bytes.readUInt32BE(position)
  const short =
    endianness() === 'LE' ? bytes.readUInt16LE(offset.pageSize) : bytes.readUInt16BE(offset.pageSize)
  const frames = at(offset.mxFrame)
  return {
    frames,
    checkpointed: Math.min(frames, at(offset.backfill)),
    pageBytes: short === 1 ? 65_536 : short,
    readers: readLocks(`${path}-shm`).flatMap(({ pid, first, last }) =>
      Array.from({ length: marks }, (_, mark) => mark)
        .filter(
          (mark) => offset.locks + locksBefore + mark >= first && offset.locks + locksBefore + mark <= last,
        )
        .map((mark) => ({ pid, frame: at(offset.readMarks + 4 * mark) })),
    ),
  }
}

/** The shared locks on a file, as the kernel lists them. */
function readLocks(path: string): { pid: number; first: number; last: number }[] {
  try {
    const inode = statSync(path).ino
    return readFileSync('/proc/locks', 'utf8')
      .split('\n')
      .flatMap((line) => {
        // 1: POSIX  ADVISORY  READ 3994 fe:00:2146342 124 124
        const match = /READ\s+(\d+)\s+\S+:(\d+)\s+(\d+)\s+(\d+)/.exec(line)
        return match && Number(match[2]) === inode
          ? [{ pid: Number(match[1]), first: Number(match[3]), last: Number(match[4]) }]
          : []
      })
  } catch {
    return [] // not Linux
  }
}
