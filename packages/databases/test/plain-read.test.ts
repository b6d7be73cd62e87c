import { expect, test } from 'vitest'
import { isPlainRead } from '../src/adapters/reconnecting.ts'

test.each([
  'SELECT "public"."people"."id", "public"."people"."name (sic)" FROM "public"."people" WHERE ("public"."people"."id" = $1 AND 1=1) LIMIT $2 OFFSET $3',
  'SELECT COUNT(*) FROM (SELECT "t"."id" FROM "t" WHERE "t"."a" IN ($1,$2) OFFSET $3) AS "sub"',
  " select max(a), coalesce(sum(b), 0) from t where exists (select 1 from u where u.id = t.id) and note = 'it''s; FOR UPDATE nextval(1)'",
  'SELECT "öre"."a.b", count("menü") FROM "öre" WHERE "öre"."note" = \'a "quoted" übung\'',
])('%s may be sent again', (sql) => expect(isPlainRead(sql)).toBe(true))

test.each([
  'INSERT INTO t VALUES (1) RETURNING id',
  'UPDATE t SET a = a + 1',
  'SELECT * FROM t WHERE id = 1 FOR UPDATE',
  'SELECT * FROM t FOR NO KEY UPDATE SKIP LOCKED',
  'SELECT * FROM t FOR KEY SHARE',
  "SELECT nextval('t_id_seq')",
  'SELECT pg_advisory_lock(1)',
  'SELECT public."pay"($1)',
  'SELECT a INTO copy FROM t',
  'SELECT 1; DELETE FROM t',
  'WITH gone AS (DELETE FROM t RETURNING *) SELECT * FROM gone',
  'SELECT $$x$$ || f(1)',
  "SELECT E'\\'' || f(1)",
  'SELECT 1 /* f(1) */',
  'SELECT 1 -- f(1)',
  'SELECT menü(1)',
  'SELECT max🎉(1)',
  'SELECT count\u00A0(1)',
  'SELECT app.count(1)',
  'SELECT app . count (1)',
  'SELECT "app".count(1)',
  'SELECT "f"(1)',
  'SELECT "count" (1)',
  `SELECT '"' || f(1) || '"'`,
  "SELECT E'\\'' || f(1) || 'x'",
  'EXPLAIN ANALYZE SELECT f(1)',
  '',
])('%s may not', (sql) => expect(isPlainRead(sql)).toBe(false))
