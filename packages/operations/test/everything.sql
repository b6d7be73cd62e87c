CREATE SCHEMA "Odd ""schema"" ñ";
CREATE TYPE mood AS ENUM ('sad', 'it''s ok', 'glücklich');
CREATE TYPE address AS (street text, "house no" int, mood mood);
CREATE DOMAIN positive AS int CHECK (VALUE > 0);
CREATE DOMAIN email AS text CHECK (VALUE ~ '@');
CREATE DOMAIN work_email AS email;
CREATE DOMAIN tags AS text[];
CREATE TYPE span AS RANGE (subtype = float8);
CREATE COLLATION ignore_case (provider = icu, locale = 'und-u-ks-level2', deterministic = false);
CREATE FUNCTION stamp() RETURNS trigger LANGUAGE plpgsql AS $body$ BEGIN new.touched := now(); RETURN new; END $body$;
CREATE FUNCTION twice(n int) RETURNS int LANGUAGE sql IMMUTABLE BEGIN ATOMIC SELECT n * 2; END;
CREATE FUNCTION odd_body() RETURNS text LANGUAGE sql AS $odd$ SELECT '; -- $$ CREATE TABLE x; '' ' $odd$;
CREATE AGGREGATE product(int) (sfunc = int4mul, stype = int, initcond = '1');

CREATE TABLE every_type (
  id bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY (START 100 INCREMENT 7),
  b bool, i2 int2, i4 int4, i8 int8, f4 float4, f8 float8, n numeric, n2 numeric(10, 3), m money,
  t text, vc varchar(20), c char(7), nm name, ch "char", by bytea,
  d date, ti time, tiz timetz, ts timestamp, tsz timestamptz(3), iv interval,
  u uuid, j json, jb jsonb, jp jsonpath, x xml,
  inet inet, cidr cidr, mac macaddr, mac8 macaddr8, bi bit(5), vb varbit,
  pt point, ln line, ls lseg, bx box, pa path, po polygon, ci circle,
  tv tsvector, tq tsquery, o oid, lsn pg_lsn, snap txid_snapshot,
  r4 int4range, rn numrange, rts tstzrange, mr int4multirange, sp span, msp span_multirange,
  e mood, ea mood[], a address, aa address[], dm positive, em work_email, tg tags, pa4 positive[],
  ia int[], ta text[], tsa timestamptz[], jba jsonb[], ii int[][],
  rc regclass, rp regprocedure, rt regtype, rca regclass[], rr regrole, acl aclitem, acls aclitem[],
  ic text COLLATE ignore_case,
  double_it int GENERATED ALWAYS AS (i4 * 2) STORED
);
INSERT INTO every_type (b, i2, i4, i8, f4, f8, n, n2, m, t, vc, c, nm, ch, by, d, ti, tiz, ts, tsz, iv, u, j, jb, jp, x,
  inet, cidr, mac, mac8, bi, vb, pt, ln, ls, bx, pa, po, ci, tv, tq, o, lsn, snap, r4, rn, rts, mr, sp, msp,
  e, ea, a, aa, dm, em, tg, pa4, ia, ta, tsa, jba, ii, rc, rp, rt, rca, rr, acl, acls, ic)
VALUES (true, -32768, 1073741823, 9223372036854775807, 'NaN', '-Infinity', 'NaN', 1234567.891, '12.34', E'tab\t new\nline \\ back ''quote'' ü 🎉', 'v', 'pad', 'nm', 'x', '\x00ff10',
  'infinity', '24:00', '12:00+05:30', '-infinity', '2024-02-29 12:34:56.789+02', '1 year -2 mons 3 days -04:05:06.789', gen_random_uuid(), '{"b" : 1,"a":1, "a": 2}', '{"b": 1.00, "a": [null, "x"]}', '$.a[*] ? (@ > 1)', '<a b="c">d</a>',
  '10.1.2.3/24', '10.0.0.0/8', '08:00:2b:01:02:03', '08:00:2b:01:02:03:04:05', B'10101', B'1', '(1,2)', '{1,2,3}', '[(0,0),(1,1)]', '(2,2),(0,0)', '((0,0),(1,1))', '((0,0),(1,1),(2,0))', '<(1,1),5>',
  'a:1A fat:2 cat', 'fat & (rat | cat:*)', 4294967295, '16/B374D848', '10:20:10,14,15', '[1,5)', '(,2.5]', '[2024-01-01,)', '{[1,3),[5,7)}', '[1.5,2.5)', '{[1,2),[3,4)}',
  'glücklich', '{sad,"it''s ok",NULL}', ROW('Main "St"', 5, 'sad'), ARRAY[ROW('x', NULL, NULL)::address, NULL], 5, 'a@b', '{a,b}', '{1,2}',
  '{}', '{"a,b",NULL,"NULL",""}', '{2024-01-01}', ARRAY['{"a":1}'::jsonb], '{{1,2},{3,4}}', 'pg_class', 'twice(int)', 'mood', '{pg_class,every_type}', 'postgres', 'postgres=r/postgres', '{postgres=r/postgres}', 'Case');
INSERT INTO every_type DEFAULT VALUES;
INSERT INTO every_type (n, ia, t) VALUES ('Infinity', '[3:4]={1,2}', '');

CREATE TABLE "Odd ""schema"" ñ"."weird . ""Table"" 日本" ("Column "" ; -- x" text, "select" int DEFAULT 3, "日本" int[]);
INSERT INTO "Odd ""schema"" ñ"."weird . ""Table"" 日本" VALUES ('a', 1, '{1}'), (NULL, NULL, NULL);
CREATE TABLE no_columns ();
INSERT INTO no_columns DEFAULT VALUES;
INSERT INTO no_columns DEFAULT VALUES;
CREATE TABLE only_generated (v int GENERATED ALWAYS AS (7) STORED);
INSERT INTO only_generated DEFAULT VALUES;
CREATE TABLE dropped_columns (a int, b text, c int);
INSERT INTO dropped_columns VALUES (1, 'x', 3);
ALTER TABLE dropped_columns DROP COLUMN b;
ALTER TABLE dropped_columns ADD COLUMN d text DEFAULT 'later';

CREATE UNLOGGED TABLE cache (k text PRIMARY KEY, v jsonb);
INSERT INTO cache VALUES ('k', '1');

CREATE TABLE event (id int, at date NOT NULL, kind mood) PARTITION BY RANGE (at);
CREATE TABLE event_2024 PARTITION OF event FOR VALUES FROM ('2024-01-01') TO ('2025-01-01');
CREATE TABLE event_rest PARTITION OF event DEFAULT PARTITION BY LIST (kind);
CREATE TABLE event_sad PARTITION OF event_rest FOR VALUES IN ('sad');
CREATE TABLE event_other (note text, kind mood, at date NOT NULL, id int);
ALTER TABLE event_other DROP COLUMN note;
ALTER TABLE event_rest ATTACH PARTITION event_other DEFAULT;
INSERT INTO event VALUES (1, '2024-05-05', 'sad'), (2, '2023-01-01', 'sad'), (3, '2022-01-01', 'glücklich'), (4, '2021-01-01', NULL);
CREATE INDEX ON event (at);
CREATE TABLE by_hash (kind mood NOT NULL, v int) PARTITION BY HASH (kind);
CREATE TABLE by_hash_0 PARTITION OF by_hash FOR VALUES WITH (MODULUS 2, REMAINDER 0);
CREATE TABLE by_hash_1 PARTITION OF by_hash FOR VALUES WITH (MODULUS 2, REMAINDER 1);
INSERT INTO by_hash SELECT k, v FROM unnest(enum_range(NULL::mood)) k, generate_series(1, 20) v;

CREATE TABLE animal (id serial PRIMARY KEY, name text);
CREATE TABLE dog (breed text) INHERITS (animal);
INSERT INTO animal (name) VALUES ('generic');
INSERT INTO dog (name, breed) VALUES ('rex', 'boxer');

CREATE TABLE account (id int PRIMARY KEY, owner_id int, balance int NOT NULL DEFAULT 0, touched timestamptz);
CREATE PROCEDURE tidy() LANGUAGE sql AS 'DELETE FROM public.account WHERE false';
CREATE TABLE person (id int PRIMARY KEY, main_account int REFERENCES account DEFERRABLE INITIALLY DEFERRED, name text UNIQUE NULLS NOT DISTINCT);
ALTER TABLE account ADD CONSTRAINT account_owner FOREIGN KEY (owner_id) REFERENCES person ON DELETE CASCADE NOT VALID;
ALTER TABLE account ADD CONSTRAINT balance_check CHECK (balance > -1000) NOT VALID;
BEGIN;
INSERT INTO person VALUES (1, 10, 'Ann'), (2, 20, NULL);
INSERT INTO account VALUES (10, 1, 500, NULL), (20, 2, -50, '2024-01-01');
COMMIT;
CREATE TRIGGER stamp BEFORE UPDATE ON account FOR EACH ROW WHEN (old.* IS DISTINCT FROM new.*) EXECUTE FUNCTION stamp();
ALTER TABLE account DISABLE TRIGGER stamp;
CREATE INDEX account_part ON account (abs(balance)) INCLUDE (id) WHERE balance > 0;
CREATE TABLE booking (room int, during tsrange, EXCLUDE USING gist (during WITH &&) WHERE (room IS NOT NULL));
INSERT INTO booking VALUES (1, '[2024-01-01,2024-01-02)');

CREATE VIEW rich AS SELECT a.id, p.name FROM account a JOIN person p ON p.id = a.owner_id WHERE a.balance > 100;
CREATE VIEW positive_account WITH (security_barrier) AS SELECT * FROM account WHERE balance > 0 WITH LOCAL CHECK OPTION;
CREATE MATERIALIZED VIEW totals AS SELECT owner_id, sum(balance) AS total FROM account GROUP BY owner_id;
CREATE UNIQUE INDEX ON totals (owner_id);
CREATE MATERIALIZED VIEW from_totals AS SELECT count(*) AS n FROM totals;
CREATE MATERIALIZED VIEW by_key AS SELECT id, name, count(*) FROM person GROUP BY id;
CREATE MATERIALIZED VIEW unfilled AS SELECT 1 AS one WITH NO DATA;
CREATE RULE no_delete AS ON DELETE TO cache DO INSTEAD NOTHING;
CREATE STATISTICS together ON owner_id, balance FROM account;

CREATE SEQUENCE cycling AS smallint MINVALUE -5 MAXVALUE 5 CYCLE CACHE 3;
SELECT nextval('cycling') FROM generate_series(1, 14);
CREATE SEQUENCE untouched START 42;
CREATE SEQUENCE downward INCREMENT -3;
SELECT nextval('downward');

ALTER TABLE person ENABLE ROW LEVEL SECURITY;
ALTER TABLE person FORCE ROW LEVEL SECURITY;
CREATE POLICY own ON person FOR SELECT TO reader_role USING (name = current_user);
CREATE POLICY all_of_it ON person AS RESTRICTIVE USING (true) WITH CHECK (id > 0);
ALTER TABLE animal OWNER TO owner_role;
GRANT SELECT, UPDATE (name) ON person TO reader_role WITH GRANT OPTION;
GRANT USAGE ON SCHEMA "Odd ""schema"" ñ" TO reader_role;
REVOKE ALL ON FUNCTION twice(int) FROM PUBLIC;
ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT SELECT ON TABLES TO reader_role;
COMMENT ON TABLE person IS 'people''s table';
COMMENT ON COLUMN person.name IS E'a\nb';
COMMENT ON POLICY own ON person IS 'p';
COMMENT ON TYPE mood IS 'm';
CREATE PUBLICATION changes FOR TABLE account (id, balance) WHERE (balance > 0);
CREATE FUNCTION on_ddl() RETURNS event_trigger LANGUAGE plpgsql AS 'BEGIN PERFORM 1; END';
CREATE EVENT TRIGGER watch ON ddl_command_end EXECUTE FUNCTION on_ddl();
SELECT lo_from_bytea(4711, 'large one'), lo_from_bytea(4712, repeat('x', 3000000)::bytea), lo_create(4713);
COMMENT ON SCHEMA "Odd ""schema"" ñ" IS 'odd';
