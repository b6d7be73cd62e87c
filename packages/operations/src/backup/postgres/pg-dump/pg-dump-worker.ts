import { parentPort, receiveMessageOnPort, workerData, type MessagePort } from 'node:worker_threads'
import { pgDump } from '@electric-sql/pglite-tools/pg_dump'
import { answerToStartup, isGoodbye, isReady, MessageReader, wantsAnswer } from './messages.ts'

/** What this thread is started with. */
export interface PgDumpJob {
  args: string[]
  /** What a server reports at start-up: by `server_version` pg_dump knows which catalogs to ask. */
  parameters: Record<string, string>
  /** Carries what the server sends. */
  port: MessagePort
  /** Counts what was put into the port: this thread sleeps on it. */
  arrived: Int32Array
}

/** What this thread sends: bytes for the server, then what became of it. */
export type PgDumpReply = { send: Uint8Array } | { script: string } | { failure: string }
/** What it receives. */
export type ServerReply = { received: Uint8Array } | { lost: string }

const { args, parameters, port, arrived } = workerData as PgDumpJob
const reply = (words: PgDumpReply) => parentPort?.postMessage(words)

let isStarted = false
let seen = 0
const asked = new MessageReader()
const answered = new MessageReader()

/** pg_dump waits inside of a call: this thread has to wait with it. */
function exchange(bytes: Buffer): Uint8Array[] {
  if (!isStarted) {
    const answer = answerToStartup(bytes, parameters)
    isStarted = answer.length > 1
    return [answer]
  }
  const types = asked.add(bytes)
  if (types.some(isGoodbye)) return []
  reply({ send: bytes })
  const pieces: Uint8Array[] = []
  let due = types.filter(wantsAnswer).length
  while (due > 0) {
    const received = nextPiece()
    pieces.push(received)
    due -= answered.add(received).filter(isReady).length
  }
  return pieces
}

/** Sleeps until the server has sent something. */
function nextPiece(): Uint8Array {
  for (;;) {
    const next = receiveMessageOnPort(port)
    if (next === undefined) {
      Atomics.wait(arrived, 0, seen)
      seen = Atomics.load(arrived, 0)
      continue
    }
    const reply = next.message as ServerReply
    if ('lost' in reply) throw new Error(reply.lost)
    return reply.received
  }
}

/** As much of a PGlite as `pgDump` uses. */
const server = {
  query: async () => ({ rows: [{ search_path: '' }] }),
  exec: async () => [],
  execProtocolRawStream(bytes: Uint8Array, { onRawData }: { onRawData: (bytes: Uint8Array) => void }) {
    // The bytes lie in the memory of pg_dump: they are its own again when this returns.
    const pieces = exchange(Buffer.from(bytes))
    if (pieces.length > 0) onRawData(Buffer.concat(pieces))
  },
}

try {
  const file = await pgDump({ pg: server as unknown as Parameters<typeof pgDump>[0]['pg'], args })
  reply({ script: await file.text() })
} catch (error) {
  reply({ failure: error instanceof Error ? error.message : String(error) })
}
