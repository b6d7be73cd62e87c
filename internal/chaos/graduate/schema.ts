import type { SqliteDatabase } from '@outgrow/databases'

/** How the values of a column are compared between the two databases. */
export type Kind = 'int' | 'bool' | 'text' | 'real' | 'decimal' | 'json' | 'bytes' | 'time'

export interface Table {
  name: string
  /** Columns of the key, which order the rows. */
  key: string[]
  columns: Record<string, Kind>
}

/**
 * The application's schema, with a table that a generated client knows (`people`): keys that cascade, unique keys that are re-used, a key of several columns without a rowid, values
 * in many spellings, and counters.
 */
export const tables: Table[] = [
  { name: 'account', key: ['id'], columns: { id: 'int', balance: 'int' } },
  { name: 'counter', key: ['name'], columns: { name: 'text', value: 'int' } },
  {
    name: 'item',
    key: ['id'],
    columns: {
      id: 'int',
      owner: 'int',
      code: 'text',
      rank: 'int',
      data: 'json',
      price: 'decimal',
      body: 'bytes',
      note: 'text',
      score: 'real',
      at: 'time',
    },
  },
  {
    name: 'part',
    key: ['item_id', 'no'],
    columns: { item_id: 'int', no: 'int', quantity: 'int' },
  },
  { name: 'tag', key: ['name'], columns: { name: 'text', owner: 'int' } },
  { name: 'item_tag', key: ['item_id', 'tag'], columns: { item_id: 'int', tag: 'text' } },
  { name: 'bulk', key: ['id'], columns: { id: 'int', owner: 'int', round: 'int', payload: 'text' } },
  {
    name: 'event',
    key: ['id'],
    columns: { id: 'int', writer: 'int', seq: 'int', at: 'time' },
  },
  {
    name: 'people',
    key: ['id'],
    columns: {
      id: 'text',
      email: 'text',
      name: 'text',
      email_verified: 'bool',
      picture: 'bytes',
      preferences: 'json',
      created_at: 'time',
      updated_at: 'time',
      invited_by_id: 'text',
    },
  },
  {
    name: 'op',
    key: ['writer', 'seq'],
    columns: { writer: 'int', seq: 'int', detail: 'int', at: 'time' },
  },
]

/** What a process of the application runs at its start. */
export const ddl = `
CREATE TABLE IF NOT EXISTS account (id INTEGER PRIMARY KEY, balance INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS counter (name TEXT NOT NULL PRIMARY KEY, value INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS item (
  id INTEGER PRIMARY KEY AUTOINCREMENT, owner INTEGER NOT NULL, code TEXT NOT NULL, rank INTEGER NOT NULL,
  data JSONB, price DECIMAL, body BLOB, note TEXT, score REAL, at DATETIME NOT NULL DEFAULT CURRENT_TIMESTAMP,
  UNIQUE (owner, rank));
CREATE UNIQUE INDEX IF NOT EXISTS item_code ON item (code COLLATE NOCASE);
CREATE INDEX IF NOT EXISTS item_at ON item (at);
CREATE TABLE IF NOT EXISTS part (
  item_id INTEGER NOT NULL REFERENCES item (id) ON DELETE CASCADE ON UPDATE CASCADE, no INTEGER NOT NULL,
  quantity INTEGER NOT NULL, PRIMARY KEY (item_id, no)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS tag (name TEXT NOT NULL PRIMARY KEY, owner INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS item_tag (
  item_id INTEGER NOT NULL REFERENCES item (id) ON DELETE CASCADE ON UPDATE CASCADE,
  tag TEXT NOT NULL REFERENCES tag (name) ON DELETE CASCADE ON UPDATE CASCADE, PRIMARY KEY (item_id, tag));
CREATE INDEX IF NOT EXISTS item_tag_tag ON item_tag (tag);
CREATE TABLE IF NOT EXISTS bulk (id INTEGER PRIMARY KEY, owner INTEGER NOT NULL, round INTEGER NOT NULL, payload TEXT NOT NULL);
CREATE INDEX IF NOT EXISTS bulk_owner ON bulk (owner);
CREATE TABLE IF NOT EXISTS event (
  id INTEGER PRIMARY KEY AUTOINCREMENT, writer INTEGER NOT NULL, seq INTEGER NOT NULL,
  at DATETIME NOT NULL DEFAULT CURRENT_TIMESTAMP);
CREATE TABLE IF NOT EXISTS op (
  writer INTEGER NOT NULL, seq INTEGER NOT NULL, detail INTEGER, at DATETIME NOT NULL DEFAULT CURRENT_TIMESTAMP,
  PRIMARY KEY (writer, seq)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS people (
  id TEXT NOT NULL PRIMARY KEY, email TEXT NOT NULL, name TEXT, email_verified BOOLEAN NOT NULL DEFAULT false, picture BLOB,
  preferences JSONB NOT NULL DEFAULT '{}', created_at DATETIME NOT NULL DEFAULT CURRENT_TIMESTAMP, updated_at DATETIME NOT NULL,
  invited_by_id TEXT REFERENCES people (id) ON DELETE SET NULL ON UPDATE CASCADE);
CREATE UNIQUE INDEX IF NOT EXISTS people_email_key ON people (email);
`

export const accounts = 20
export const balanceAtStart = 1000
export const counters = ['orders', 'visits']
/** Rows of `bulk` that one statement of their owner changes. */
const bulkRows = 1500

/** Makes the tables and the rows that are there before anybody writes. */
export function fill(database: SqliteDatabase, writers: number): void {
  database.pragma('journal_mode = WAL')
  database.exec(ddl)
  database.transaction(() => {
    const account = database.prepare('INSERT INTO account VALUES (?, ?)')
    for (let id = 1; id <= accounts; id++) account.run(id, balanceAtStart)
    for (const name of counters) database.prepare('INSERT INTO counter VALUES (?, 0)').run(name)
    const bulk = database.prepare('INSERT INTO bulk (owner, round, payload) VALUES (?, 0, ?)')
    for (let owner = 0; owner < writers; owner++)
      for (let at = 0; at < bulkRows; at++) bulk.run(owner, `payload ${owner} ${at} ${'x'.repeat(40)}`)
  })()
}
