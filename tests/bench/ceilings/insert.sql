-- The row, its history and two indexes: the least that any store with history does.
\set r random(1, 2000000000)
WITH r AS (INSERT INTO bench.row (id, code, day, body) VALUES ('p' || gen_random_uuid(), 1, :r, convert_to(repeat('x', 600), 'UTF8')) RETURNING id, version, body)
INSERT INTO bench.history (id, version, body) SELECT id, version, body FROM r;
