import { MessageChannel, Worker } from 'node:worker_threads'
import type { PostgresClient } from '@outgrow/databases'
import { Failure } from '@outgrow/kit'
import type { PgDumpJob, PgDumpReply, ServerReply } from './pg-dump-worker.ts'

/**
 * What pg_dump writes, over a connection that is there already: no password leaves it. pg_dump runs as WebAssembly in a
 * thread that blocks while it waits for the server. The connection is pg_dump's until this ends, and is left with its settings.
 * @param args as on its command line, without those that say how to connect
 * @throws Failure OUTGROW_BACKUP_LOCKED, OUTGROW_BACKUP_PRIVILEGES, OUTGROW_PG_DUMP
 */
export async function runPgDump(
  client: PostgresClient,
  args: string[],
  signal: AbortSignal,
): Promise<string> {
  signal.throwIfAborted()
  const { rows } = await client.query<{ name: string; value: string }>(
    "SELECT name, current_setting(name) AS value FROM unnest('{server_version,server_encoding,client_encoding,standard_conforming_strings}'::text[]) name",
  )
  const parameters = Object.fromEntries(rows.map(({ name, value }) => [name, value]))
  const { port1: ours, port2: port } = new MessageChannel()
  const arrived = new Int32Array(new SharedArrayBuffer(4))
  const job: PgDumpJob = { args, parameters, port, arrived }
  const worker = new Worker(new URL(import.meta.resolve('@outgrow/operations/pg-dump-worker')), {
    workerData: job,
    transferList: [port],
  })
  const { stream } = client.connection
  // The driver reads no answers meanwhile: they are pg_dump's.
  const readers = stream.listeners('data') as ((bytes: Buffer) => void)[]
  for (const reader of readers) stream.off('data', reader)
  const answer = (reply: ServerReply) => {
    ours.postMessage(reply)
    Atomics.add(arrived, 0, 1)
    Atomics.notify(arrived, 0)
  }
  const onData = (received: Buffer) => answer({ received })
  const onClose = () => answer({ lost: 'the server closed the connection' })
  const onAbort = () => void worker.terminate()
  stream.on('data', onData)
  stream.once('close', onClose)
  signal.addEventListener('abort', onAbort)
  try {
    return await new Promise<string>((done, failed) => {
      worker.on('message', (reply: PgDumpReply) => {
        if ('send' in reply) stream.write(reply.send)
        else if ('script' in reply) done(reply.script)
        else failed(pgDumpFailure(reply.failure))
      })
      worker.once('error', failed)
      worker.once('exit', () => failed(signal.aborted ? signal.reason : new Error('pg_dump ended early')))
    })
  } finally {
    signal.removeEventListener('abort', onAbort)
    stream.off('close', onClose)
    stream.off('data', onData)
    for (const reader of readers) stream.on('data', reader)
    ours.close()
    await worker.terminate()
  }
}

function pgDumpFailure(output: string): Failure {
  // It looks for its own program file first, and there is none.
  const reported = output
    .replace(/^[^]*?Error message: /, '')
    .replace(/invalid binary "[^"]*": No such file or directory/, '')
    .replaceAll(/\S*pg-dump-worker\.\w+: /g, '')
    .trim()
  if (/lock timeout|could not obtain lock/.test(reported))
    return new Failure({
      code: 'OUTGROW_BACKUP_LOCKED',
      message: `A table was locked by another session for too long: ${reported}`,
      why: 'A backup reads every table, and waits no longer: other sessions would have to wait behind it.',
      fix: 'Wait until the migration or the maintenance that holds the lock has ended, and run the command again.',
    })
  const isPrivilege = /permission denied/.test(reported)
  return new Failure({
    code: isPrivilege ? 'OUTGROW_BACKUP_PRIVILEGES' : 'OUTGROW_PG_DUMP',
    message: `pg_dump could not read the schema: ${reported}`,
    why: 'A backup holds the whole schema, as pg_dump writes it.',
    fix: isPrivilege
      ? 'Use the role that owns the database, or grant this one what the server names.'
      : 'Correct what pg_dump names above, and run the command again.',
  })
}
