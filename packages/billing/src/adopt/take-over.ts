import { setTimeout as sleep } from 'node:timers/promises'
import type { Adoption, AdoptRequest } from './adoption.ts'
import type { AdoptConnection } from './connection.ts'
import { EventTable } from './event-table.ts'
import { dryWriter, inboxWriter, worthOf, type Copy, type InboxWriter } from './inbox-writer.ts'
import { readPages } from './read-pages.ts'
import type { EventSource } from './source.ts'
import { judge, type AdoptedStatus, type StoredEvent } from './stored-event.ts'

export interface TakeOverOptions extends Pick<AdoptRequest, 'yesValues' | 'doneBefore'> {
  /** The inbox's table; undefined where a dry run has none. */
  inbox: string | undefined
  dryRun: boolean
  signal?: AbortSignal | undefined
  onProgress?: ((adoption: Adoption) => void) | undefined
}

/**
 * Takes the events of the application's own table over into the inbox, each once, page by page. Each page is a short
 * transaction; what was taken stays when the run ends early, and the next run continues: the inbox says what is taken.
 * @throws the signal's reason
 */
export async function takeOver(
  connection: AdoptConnection,
  source: EventSource,
  adoption: Adoption,
  { inbox, dryRun, signal, onProgress, ...rules }: TakeOverOptions,
): Promise<void> {
  const now = new Date()
  const seen = new EventTable()
  const has = (role: keyof EventSource['columns']) => source.columns[role] !== undefined
  const writer =
    dryRun || inbox === undefined ? dryWriter(connection, inbox) : await inboxWriter(connection, inbox, now)
  for await (const rows of readPages(connection, source, inbox)) {
    signal?.throwIfAborted()
    const copies = new Map<string, Copy>()
    for (const row of rows) {
      const copy = countRow(judge(row, { ...rules, has, now }), adoption, seen)
      if (copy) copies.set(copy.id, better(copies.get(copy.id), copy))
    }
    const began = performance.now()
    if (copies.size > 0) await writer.page(() => storePage(writer, copies, adoption, seen))
    onProgress?.(adoption)
    // SQLite has one writer: whoever waits for the lock gets it now. And signals come in.
    await sleep(connection.provider === 'sqlite' && !dryRun ? performance.now() - began : 0)
  }
  for (const one of adoption.duplicates) one.rows = seen.rows(one.id)
}

/** Counts a row that stays behind; of one that has an event, returns that. */
function countRow(judged: ReturnType<typeof judge>, adoption: Adoption, seen: EventTable): Copy | undefined {
  adoption.rowsRead++
  if (judged.kind !== 'event' && judged.kind !== 'known') {
    adoption[judged.kind]++
    return undefined
  }
  const copy: Copy =
    judged.kind === 'event' ? judged.event : { id: judged.id, status: judged.isDone ? 'done' : 'dead' }
  const rows = seen.count(copy.id)
  if (rows > 1) adoption.duplicateRows++
  if (rows === 2 && ++adoption.duplicateEvents <= 100) adoption.duplicates.push({ id: copy.id, rows })
  return copy
}

/** Of two rows with one event: if one of them was processed, the event was; the payload is the one that can be read. */
function better(one: Copy | undefined, other: Copy): Copy {
  if (one === undefined) return other
  const { status, error } = worthOf(other.status) > worthOf(one.status) ? other : one
  return { ...(one.isReadable ? one : other), status, error: error ?? null }
}

async function storePage(
  writer: InboxWriter,
  copies: Map<string, Copy>,
  adoption: Adoption,
  seen: EventTable,
): Promise<void> {
  const stored = await writer.read([...copies.keys()])
  const missing = [...copies.values()].filter(({ id }) => !stored.has(id)) as StoredEvent[]
  const added = await writer.insert(missing)
  for (const copy of copies.values()) {
    const before = seen.mark(copy.id)
    if (added.has(copy.id)) {
      seen.setMark(copy.id, copy.status)
      adoption.imported[countedAs(copy.status)]++
      continue
    }
    const { status, isAdopted } = stored.get(copy.id) ?? { status: 'pending', isAdopted: false }
    if (before === 'none') {
      seen.setMark(copy.id, 'wasThere')
      adoption.known++
    }
    if (!isAdopted || worthOf(copy.status) <= worthOf(status)) continue
    if (!(await writer.improve(status, copy))) continue
    if (before === 'none' || before === 'wasThere') adoption.updated++
    else {
      adoption.imported[countedAs(before)]--
      adoption.imported[countedAs(copy.status)]++
      seen.setMark(copy.id, copy.status)
    }
  }
}

function countedAs(status: AdoptedStatus): keyof Adoption['imported'] {
  return status === 'ignored' ? 'done' : status
}
