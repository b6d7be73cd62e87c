import { quoteIdentifier, runStatements, type PostgresClient } from '@outgrow/databases'
import { backLogSequence, backLogTable, backLostSequence, type BackLog } from '../../../model/back-log.ts'
import type { FollowedTable } from '../../../model/change.ts'
import type { PlannedColumn } from '../../../model/plan.ts'
import { qualified } from '../constraints.ts'

/**
 * Statements that log the key of every row that changes from now on, in the transaction that changes it: each table has a
 * log with its key's own types, and triggers that write to it. They are there before the tables are published, and silent
 * for the session that applies changes of the other side. TRUNCATE fires no row trigger: it logs that everything changed.
 * Where the tables are not in their place the target does not have the authority, and nobody else changes a row, by whatever
 * view or function. That is told by the catalog, which also an old snapshot sees as it is now.
 * Nothing is logged beyond the record's limit, which a sequence of its own tells for good: it is drawn from without a lock
 * that writers would wait for each other by.
 */
function captureBackSql(log: BackLog, tables: readonly FollowedTable[]): string[] {
  return [
    `CREATE SEQUENCE IF NOT EXISTS ${backLogSequence(log)}`,
    `CREATE SEQUENCE IF NOT EXISTS ${backLostSequence(log)}`,
    ...tables.flatMap((table) => captureTable(log, table)),
  ]
}

function captureTable(log: BackLog, table: FollowedTable): string[] {
  const { number, planned, key } = table
  const target = qualified(planned.target)
  const names = key.map((at) => quoteIdentifier((planned.columns[at] as PlannedColumn).target.name))
  const columns = names.map((_, at) => `k${at}`).join(', ')
  const own = backLogTable(log, table)
  const capture = qualified({ schema: log.schema, name: `_outgrow_capture_${number}` })
  const enter = (row: 'OLD' | 'NEW' | undefined) => {
    const values = row === undefined ? names.map(() => 'NULL') : names.map((name) => `${row}.${name}`)
    return `entry := nextval(${literal(backLogSequence(log))}); IF entry <= bound THEN INSERT INTO ${own} (id, everything, ${columns}) VALUES (entry, ${row === undefined}, ${values.join(', ')}); ELSE PERFORM nextval(${literal(backLostSequence(log))}); END IF;`
  }
  const isMoved = `(${names.map((name) => `OLD.${name}`).join(', ')}) IS DISTINCT FROM (${names.map((name) => `NEW.${name}`).join(', ')})`
  const when = "WHEN (current_setting('outgrow.applying', true) IS DISTINCT FROM 'on')"
  const body = `
    DECLARE entry int8; bound int8; place text;
    BEGIN
      IF TG_TABLE_SCHEMA = ${literal(planned.target.schema)} THEN
        SELECT format('%s on %s', file, host) INTO place FROM ${log.record};
        RAISE EXCEPTION 'The rows of % are in the SQLite file %: nothing else may change them here.', TG_TABLE_NAME, place USING ERRCODE = 'object_not_in_prerequisite_state';
      END IF;
      SELECT log_limit INTO bound FROM ${log.record};
      IF TG_OP = 'TRUNCATE' THEN ${enter(undefined)}
      ELSIF TG_OP = 'INSERT' THEN ${enter('NEW')}
      ELSIF TG_OP = 'DELETE' THEN ${enter('OLD')}
      ELSE ${enter('NEW')} IF ${isMoved} THEN ${enter('OLD')} END IF;
      END IF;
      RETURN NULL;
    END`
  return [
    // With NULL beside it a domain's value is of its base type, which takes the NULL of a TRUNCATE.
    `CREATE TABLE ${own} AS SELECT NULL::int8 AS id, false AS everything, ${names.map((name, at) => `coalesce(${name}, NULL) AS k${at}`).join(', ')} FROM ${target} WHERE false`,
    // Whoever changes the rows need not know of this schema.
    `CREATE FUNCTION ${capture}() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS ${dollarQuoted(body)}`,
    `CREATE TRIGGER _outgrow_row AFTER INSERT OR UPDATE OR DELETE ON ${target} FOR EACH ROW ${when} EXECUTE FUNCTION ${capture}()`,
    `CREATE TRIGGER _outgrow_truncate AFTER TRUNCATE ON ${target} FOR EACH STATEMENT ${when} EXECUTE FUNCTION ${capture}()`,
    // Also for sessions that switch triggers off, such as those that apply another server's changes.
    `ALTER TABLE ${target} ENABLE ALWAYS TRIGGER _outgrow_row, ENABLE ALWAYS TRIGGER _outgrow_truncate`,
  ]
}

/** Names of columns are part of it, and may have anything in them. */
function dollarQuoted(body: string): string {
  let tag = '$outgrow$'
  for (let at = 1; body.includes(tag); at++) tag = `$outgrow${at}$`
  return `${tag}${body}${tag}`
}

function literal(text: string): string {
  return `'${text.replaceAll("'", "''")}'`
}

/** Makes all of it, within the caller's transaction. */
export async function captureBack(
  client: PostgresClient,
  log: BackLog,
  tables: readonly FollowedTable[],
): Promise<void> {
  await runStatements(client, captureBackSql(log, tables))
}

/** Whether anything was logged, and whether changes were left out because the log was full. */
export async function backLogState(
  client: PostgresClient,
  log: BackLog,
  tables: readonly FollowedTable[],
): Promise<{ entries: number; overflowed: boolean }> {
  const counted = tables.map((table) => `(SELECT count(*) FROM ${backLogTable(log, table)})`)
  const { rows } = await client.query<{ entries: string; overflowed: boolean }>(
    `SELECT (${counted.length > 0 ? counted.join(' + ') : '0'})::text AS entries,
            (SELECT is_called FROM ${backLostSequence(log)}) AS overflowed`,
  )
  const [row] = rows
  return { entries: Number(row?.entries ?? 0), overflowed: row?.overflowed ?? false }
}
