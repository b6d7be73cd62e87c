import { parentPort, workerData, type MessagePort } from 'node:worker_threads'
import { openSqliteReadonly } from '@outgrow/databases/sqlite'
import { Failure } from '@outgrow/kit'
import { BufferPool } from '../../types/buffer-pool.ts'
import { RowEncoder } from './encode-rows.ts'
import { PageEncoder } from './pages/encode-pages.ts'
import type { ReaderError, ReaderReply, ReaderRequest } from './reader-messages.ts'
import { checkPages, countRows } from './table-check.ts'
import type { TableEncoder } from './table-encoder.ts'

const port = parentPort as MessagePort
const { path } = workerData as { path: string }
const database = openSqliteReadonly(path)
database.pragma('ignore_check_constraints = ON') // of the application, with functions that only it may have
/** Shared with the thread that sends them: what is transferred instead would be collected as garbage on both sides. */
const memories: { memory: SharedArrayBuffer; isKnown: boolean }[] = []
const pool = new BufferPool((bytes) => {
  const memory = new SharedArrayBuffer(bytes)
  memories.push({ memory, isKnown: false })
  return memory
})
const open = new Map<number, { encoder: TableEncoder; buffers: Iterator<Buffer, void> }>()

port.on('message', (request: ReaderRequest) => {
  try {
    answer(request)
  } catch (cause) {
    reply({ kind: 'failed', error: errorOf(cause) })
  }
})

function errorOf(cause: unknown): ReaderError {
  const { name, message, code } = cause as Error & { code?: string }
  if (!(cause instanceof Failure)) return { name, message, code, failure: undefined }
  const { why, fix } = cause
  const failure = { code: cause.code, message: cause.message, why, ...(fix !== undefined && { fix }) }
  return { name: cause.name, message: cause.message, code: cause.code, failure }
}

function answer(request: ReaderRequest): void {
  switch (request.kind) {
    case 'begin':
      if (database.inTransaction) database.exec('ROLLBACK')
      database.exec('BEGIN')
      database.prepare('SELECT count(*) FROM sqlite_schema').get()
      reply({ kind: 'begun' })
      break
    case 'open': {
      const { id, table, options, range, layout } = request
      if (layout && range) {
        const encoder = new PageEncoder(database, table, options, layout, pool)
        open.set(id, { encoder, buffers: encoder.buffers(range) })
      } else {
        const encoder = new RowEncoder(database, table, options, pool)
        open.set(id, { encoder, buffers: encoder.buffers(range) })
      }
      break
    }
    case 'next':
      next(request.id)
      break
    case 'free':
      pool.giveBack(Buffer.from((memories[request.slot] as { memory: SharedArrayBuffer }).memory))
      break
    case 'digest': {
      const encoder = new RowEncoder(database, request.table, request.options, pool)
      // The encoder hashes each row as it passes; the buffers themselves are not needed.
      for (const buffer of encoder.buffers(request.range)) {
        encoder.giveBack(buffer)
        encoder.quarantined = []
      }
      encoder.quarantined = []
      reply({ kind: 'end', id: request.id, result: encoder.result })
      break
    }
    case 'count': {
      const { id, table, checksPages } = request
      if (checksPages) checkPages(database, table.source.name)
      reply({ kind: 'counted', id, rows: countRows(database, table) })
      break
    }
    case 'close':
      open.get(request.id)?.buffers.return?.()
      open.delete(request.id)
  }
}

function next(id: number): void {
  const known = open.get(id)
  if (known === undefined) return // closed meanwhile
  const { encoder, buffers } = known
  const step = buffers.next()
  if (step.done) {
    open.delete(id)
    reply({ kind: 'end', id, result: encoder.result })
    return
  }
  const { buffer, length } = step.value
  const slot = memories.findIndex(({ memory }) => memory === buffer)
  const shared = memories[slot]
  const message: ReaderReply = {
    kind: 'rows',
    id,
    slot: shared && slot,
    memory: shared?.isKnown ? undefined : buffer,
    length,
    rows: encoder.digest.rows,
    isBad: !encoder.findings.isEmpty,
  }
  if (shared) shared.isKnown = true
  port.postMessage(message, shared ? [] : [buffer as ArrayBuffer])
}

function reply(message: ReaderReply): void {
  port.postMessage(message)
}
