import { assertNever } from '@outgrow/kit'
import type { Operation, Values } from './operations.ts'
import type { Sql } from './sql.ts'

/** Does an operation with its mark, within one transaction. Returns the number that it drew, where it draws one. */
export async function perform(
  sql: Sql,
  { writer, seq }: { writer: number; seq: number },
  operation: Operation,
): Promise<number | null> {
  const drawn = await act(sql, { writer, seq }, operation)
  await sql.run('INSERT INTO op (writer, seq, detail) VALUES (?, ?, ?)', [writer, seq, drawn])
  return drawn
}

async function act(
  sql: Sql,
  who: { writer: number; seq: number },
  operation: Operation,
): Promise<number | null> {
  switch (operation.kind) {
    case 'many': {
      for (const one of operation.of.filter(({ kind }) => kind !== 'count')) await act(sql, who, one)
      return null
    }
    case 'transfer': {
      const { from, to, amount } = operation
      // In the order of their ids: two transfers never wait for each other.
      for (const id of [from, to].toSorted((a, b) => a - b)) {
        const change = id === from ? -amount : amount
        await sql.run('UPDATE account SET balance = balance + ? WHERE id = ?', [change, id])
      }
      return null
    }
    case 'count': {
      const lock = sql.provider === 'postgres' ? ' FOR UPDATE' : ''
      const row = await sql.get(`SELECT value FROM counter WHERE name = ?${lock}`, [operation.counter])
      const next = Number(row?.value) + 1
      await sql.run('UPDATE counter SET value = ? WHERE name = ?', [next, operation.counter])
      return next
    }
    case 'put':
      await put(sql, who.writer, operation.code, operation.rank, operation.values)
      return null
    case 'replace':
      await replace(sql, who.writer, operation.code, operation.rank, operation.values)
      return null
    case 'swap': {
      const [a, b] = operation.codes
      const [one, other] = [await idOf(sql, a), await idOf(sql, b)]
      if (one === undefined || other === undefined || one === other) return null
      for (const [code, id] of [
        [`${a} in between`, one],
        [a, other],
        [b, one],
      ] as const)
        await sql.run('UPDATE item SET code = ? WHERE id = ?', [code, id])
      return null
    }
    case 'remove':
      await sql.run(`DELETE FROM item WHERE ${byCode(sql)}`, [operation.code])
      return null
    case 'rekey':
      await sql.run(`UPDATE item SET id = id + 100000 WHERE ${byCode(sql)}`, [operation.code])
      return null
    case 'part': {
      const { code, no, quantity } = operation
      const id = await idOf(sql, code)
      if (id === undefined) return null
      if (quantity === null) await sql.run('DELETE FROM part WHERE item_id = ? AND no = ?', [id, no])
      else
        await sql.run(
          'INSERT INTO part (item_id, no, quantity) VALUES (?, ?, ?) ON CONFLICT (item_id, no) DO UPDATE SET quantity = excluded.quantity',
          [id, no, quantity],
        )
      return null
    }
    case 'tag': {
      const { code, tag } = operation
      await sql.run('INSERT INTO tag (name, owner) VALUES (?, ?) ON CONFLICT (name) DO NOTHING', [
        tag,
        who.writer,
      ])
      const id = await idOf(sql, code)
      if (id !== undefined)
        await sql.run('INSERT INTO item_tag (item_id, tag) VALUES (?, ?) ON CONFLICT DO NOTHING', [id, tag])
      return null
    }
    case 'rename-tag':
      await sql.run('UPDATE tag SET name = ? WHERE name = ?', [operation.to, operation.tag])
      return null
    case 'untag':
      await sql.run('DELETE FROM tag WHERE name = ?', [operation.tag])
      return null
    case 'bulk':
      await sql.run('UPDATE bulk SET round = round + 1 WHERE owner = ?', [who.writer])
      return null
    case 'event': {
      const row = await sql.get('INSERT INTO event (writer, seq) VALUES (?, ?) RETURNING id', [
        who.writer,
        who.seq,
      ])
      const id = Number(row?.id)
      if (operation.isDeleted) await sql.run('DELETE FROM event WHERE id = ?', [id])
      return id
    }
    case 'person':
      await person(sql, `p${who.writer}-${who.seq}-${operation.email}`, operation)
      return null
    case 'invite':
      await invite(sql, operation.email, operation.by)
      return null
    case 'leave':
      if (sql.people) await sql.people.deleteMany({ where: { email: operation.email } })
      else await sql.run('DELETE FROM people WHERE email = ?', [operation.email])
      return null
    default:
      return assertNever(operation)
  }
}

const byCode = ({ provider }: Sql) =>
  provider === 'sqlite' ? 'code = ? COLLATE NOCASE' : 'lower(code) = lower(?)'

async function idOf(sql: Sql, code: string): Promise<unknown> {
  return (await sql.get(`SELECT id FROM item WHERE ${byCode(sql)}`, [code]))?.id
}

async function person(
  sql: Sql,
  id: string,
  { email, name, preferences }: Extract<Operation, { kind: 'person' }>,
): Promise<void> {
  if (sql.people) {
    const values = { name, preferences: preferences as never }
    await sql.people.upsert({ where: { email }, create: { id, email, ...values }, update: values })
    return
  }
  await sql.run(
    `INSERT INTO people (id, email, name, preferences, updated_at) VALUES (?, ?, ?, ?, CURRENT_TIMESTAMP)
       ON CONFLICT (email) DO UPDATE SET name = excluded.name, preferences = excluded.preferences, updated_at = excluded.updated_at`,
    [id, email, name, JSON.stringify(preferences)],
  )
}

async function invite(sql: Sql, email: string, by: string): Promise<void> {
  if (sql.people) {
    const inviting = await sql.people.findUnique({ where: { email: by } })
    if (inviting) await sql.people.updateMany({ where: { email }, data: { invitedById: inviting.id } })
    return
  }
  const row = await sql.get('SELECT id FROM people WHERE email = ?', [by])
  if (row) await sql.run('UPDATE people SET invited_by_id = ? WHERE email = ?', [row.id, email])
}

const names = ['data', 'price', 'body', 'note', 'score']

async function put(sql: Sql, writer: number, code: string, rank: number, values: Values): Promise<void> {
  const own = [writer, code, rank, ...written(sql, values)]
  if (sql.provider === 'sqlite') {
    await sql.run(
      `INSERT INTO item (owner, code, rank, ${names.join(', ')}) VALUES (?, ?, ?, ${marks(sql, values)})
         ON CONFLICT (code COLLATE NOCASE) DO UPDATE SET ${names.map((name) => `${name} = excluded.${name}`).join(', ')}`,
      own,
    )
    return
  }
  const set = names.map((name) => `${name} = ?`).join(', ')
  const changed = await sql.run(`UPDATE item SET ${set} WHERE ${byCode(sql)}`, [...own.slice(3), code])
  if (changed === 0) await insert(sql, own, values)
}

async function replace(sql: Sql, writer: number, code: string, rank: number, values: Values): Promise<void> {
  const own = [writer, code, rank, ...written(sql, values)]
  if (sql.provider === 'sqlite') {
    await sql.run(
      `INSERT OR REPLACE INTO item (owner, code, rank, ${names.join(', ')}) VALUES (?, ?, ?, ${marks(sql, values)})`,
      own,
    )
    return
  }
  await sql.run(`DELETE FROM item WHERE ${byCode(sql)} OR (owner = ? AND rank = ?)`, [code, writer, rank])
  await insert(sql, own, values)
}

async function insert(sql: Sql, own: unknown[], values: Values): Promise<void> {
  await sql.run(
    `INSERT INTO item (owner, code, rank, ${names.join(', ')}) VALUES (?, ?, ?, ${marks(sql, values)})`,
    own,
  )
}

function marks({ provider }: Sql, { spelling, data }: Values): string {
  const isBinary = provider === 'sqlite' && spelling === 'jsonb' && data !== null
  return `${isBinary ? 'jsonb(?)' : '?'}, ?, ?, ?, ?`
}

/** Values as a driver takes them. */
function written({ provider }: Sql, { data, spelling, price, body, note, score }: Values): unknown[] {
  const json = data === null ? null : JSON.stringify(data, null, spelling === 'spaced' ? 2 : undefined)
  const decimal = price !== null && provider === 'sqlite' && spelling === 'compact' ? Number(price) : price
  return [json, decimal, body === null ? null : Buffer.from(body, 'hex'), note, score]
}
