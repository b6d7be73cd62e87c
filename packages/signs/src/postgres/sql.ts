/** What is asked of the server's own statistics. */
export const sql = {
  // Whoever may not see what other roles' sessions are sees how many there are in each database.
  // A command that hangs never fails: the log moves on, and nothing of it is archived for $1 seconds.
  essentials: `SELECT pg_database_size(current_database())::float8 AS size, s.sees_all,
    CASE WHEN s.sees_all THEN (SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend')
      ELSE (SELECT sum(numbackends) FROM pg_stat_database) END::int AS used,
    current_setting('max_connections')::int - current_setting('superuser_reserved_connections')::int
      - coalesce(current_setting('reserved_connections', true)::int, 0) AS "limit",
    (SELECT coalesce(max(extract(epoch FROM clock_timestamp() - xact_start) * 1000), 0)::float8 FROM pg_stat_activity
       WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()) AS oldest_ms,
    (SELECT max(age(datfrozenxid))::float8 FROM pg_database) AS age,
    (SELECT deadlocks::float8 FROM pg_stat_database WHERE datname = current_database()) AS deadlocks,
    a.archived_count::float8 AS archived, a.failed_count::float8 AS failed,
    current_setting('archive_mode') <> 'off' AND coalesce(a.last_failed_time > coalesce(a.last_archived_time, '-infinity'), false) AS failing,
    CASE WHEN current_setting('archive_mode') = 'off' OR pg_is_in_recovery() OR coalesce(a.last_archived_wal, '') !~ '^[0-9A-F]{24}' THEN false
      ELSE greatest(a.last_archived_time, pg_postmaster_start_time()) < clock_timestamp() - make_interval(secs => $1)
        AND pg_wal_lsn_diff(pg_current_wal_lsn(), (substr(a.last_archived_wal, 9, 8) || '/0')::pg_lsn)
          > (('x' || substr(a.last_archived_wal, 17, 8))::bit(32)::bigint + 4) * pg_size_bytes(current_setting('wal_segment_size')) END AS behind
    FROM pg_stat_archiver a, (SELECT pg_has_role(current_user, 'pg_read_all_stats', 'USAGE') AS sees_all) s`,
  // Nothing was measured for a standby that has replayed all there is. Of those with one name, the one that is furthest behind.
  replicas: `SELECT coalesce(nullif(application_name, ''), 'unnamed') AS name, min(coalesce(state, 'unknown')) AS state,
      max(greatest(coalesce(pg_wal_lsn_diff(l.at, replay_lsn), 0), 0))::float8 AS "lagBytes",
      max(coalesce(extract(epoch FROM replay_lag) * 1000, 0))::float8 AS "lagMs"
    FROM pg_stat_replication, (SELECT CASE WHEN pg_is_in_recovery() THEN pg_last_wal_receive_lsn() ELSE pg_current_wal_lsn() END AS at) l
    GROUP BY 1 ORDER BY 1`,
  slots: `SELECT slot_name AS name, active AS "isActive", greatest(coalesce(pg_wal_lsn_diff(l.at, restart_lsn), 0), 0)::float8 AS "retainedBytes"
    FROM pg_replication_slots, (SELECT CASE WHEN pg_is_in_recovery() THEN pg_last_wal_receive_lsn() ELSE pg_current_wal_lsn() END AS at) l
    WHERE NOT temporary ORDER BY 1`,
  basics: `SELECT current_setting('server_version') AS version,
    (SELECT count(*)::int FROM pg_stat_activity WHERE datname = current_database()
       AND state LIKE 'idle in transaction%' AND state_change < now() - interval '1 minute') AS idle,
    (SELECT reset_val FROM pg_settings WHERE name = 'TimeZone') AS zone,
    pg_has_role(current_user, 'pg_read_all_stats', 'USAGE') AS sees_all`,
  lockWaits: `SELECT count(*)::int AS sessions, coalesce(max(extract(epoch FROM now() - l.waitstart) * 1000), 0)::float8 AS ms
    FROM pg_locks l JOIN pg_stat_activity a USING (pid) WHERE NOT l.granted AND a.datname = current_database()`,
  cache: `SELECT blks_hit::float8 AS hit, (blks_hit + blks_read)::float8 AS asked FROM pg_stat_database WHERE datname = current_database()`,
  bloat: `SELECT schemaname || '.' || relname AS "table", n_dead_tup::float8 / greatest(n_live_tup + n_dead_tup, 1) AS share
    FROM pg_stat_user_tables WHERE n_dead_tup > 10000 AND n_dead_tup > 0.2 * (n_live_tup + n_dead_tup) ORDER BY n_dead_tup DESC LIMIT 5`,
  // A table that was read a thousand times through anything else would have used an index that is of use.
  unused: `SELECT s.schemaname || '.' || s.indexrelname AS index, pg_relation_size(s.indexrelid)::float8 AS size
    FROM pg_stat_user_indexes s JOIN pg_index i USING (indexrelid) JOIN pg_stat_user_tables t ON t.relid = s.relid, pg_stat_database d
    WHERE d.datname = current_database() AND s.idx_scan = 0 AND NOT i.indisunique AND pg_relation_size(s.indexrelid) > 10000000
      AND t.seq_scan + coalesce(t.idx_scan, 0) > 1000
      AND coalesce(d.stats_reset, pg_postmaster_start_time()) < now() - interval '1 day' ORDER BY size DESC LIMIT 5`,
  foreignKeys: `SELECT c.conrelid::regclass::text AS "table", c.conname AS "constraint",
      (SELECT string_agg(a.attname, ', ' ORDER BY k.at) FROM unnest(c.conkey) WITH ORDINALITY AS k(num, at)
         JOIN pg_attribute a ON a.attrelid = c.conrelid AND a.attnum = k.num) AS columns
    FROM pg_constraint c JOIN pg_class t ON t.oid = c.conrelid
    WHERE c.contype = 'f' AND t.reltuples > 10000 AND NOT EXISTS (
      SELECT FROM pg_index i WHERE i.indrelid = c.conrelid AND i.indpred IS NULL AND i.indisvalid
        AND i.indnkeyatts >= cardinality(c.conkey)
        AND (i.indkey::int2[])[0:cardinality(c.conkey) - 1] @> c.conkey)
    ORDER BY t.reltuples DESC LIMIT 5`,
  statements: `SELECT left(regexp_replace(query, '\\s+', ' ', 'g'), 80) AS text, mean_exec_time AS ms, calls::float8 AS calls
    FROM pg_stat_statements s JOIN pg_database d ON d.oid = s.dbid
    WHERE d.datname = current_database() AND calls >= 20 ORDER BY mean_exec_time DESC LIMIT 3`,
}
