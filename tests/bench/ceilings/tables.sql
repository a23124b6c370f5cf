-- Tables of the ceilings: the bodies that the server stores, with and without its index shapes.
DROP SCHEMA IF EXISTS bench CASCADE;
CREATE SCHEMA bench;
CREATE TABLE bench.row (id text NOT NULL, code int8 NOT NULL, day int8 NOT NULL, version int4 NOT NULL DEFAULT 1, body bytea NOT NULL);
INSERT INTO bench.row (id, code, day, body)
  SELECT 'b' || row_number() OVER (ORDER BY rid), type * 1000 + row_number() OVER (ORDER BY rid) % 20, rid, body FROM resource WHERE tenant <> 0 LIMIT 20000;
CREATE UNIQUE INDEX row_id ON bench.row (id);
CREATE INDEX row_day ON bench.row (code, day DESC);
CREATE TABLE bench.history (id text NOT NULL, version int4 NOT NULL, body bytea NOT NULL);
CREATE TABLE bench.copied (LIKE bench.row INCLUDING DEFAULTS INCLUDING INDEXES);
ANALYZE bench.row;
