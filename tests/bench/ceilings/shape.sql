-- What PostgreSQL itself can do with the rows of one Patient: the resource, its change row, 22 index rows, one statement.
\set r random(1, 2000000000)
WITH r AS (INSERT INTO resource (rid, key, updated, tenant, version, parameter_set, type, method, id, body)
  SELECT nextval('rid'), :r, 0, 9, 1, 1, 103, 1, 'p' || gen_random_uuid(), convert_to(repeat('x', 600), 'UTF8') RETURNING rid, id),
c AS (INSERT INTO change (rid, at, tenant, version, type, method, id, who, request, patients)
  SELECT rid, 0, 9, 1, 103, 1, id, 'bench', 'bench', ARRAY[id] FROM r),
t AS (INSERT INTO index_token (tenant, parameter, value, rid) SELECT 9, n, :r + n, rid FROM r, generate_series(1, 13) n),
s AS (INSERT INTO index_string (tenant, parameter, value, rid) SELECT 9, n, 'text ' || :r + n, rid FROM r, generate_series(1, 8) n),
d AS (INSERT INTO index_date (tenant, parameter, low, high, rid) SELECT 9, 1, :r, :r, rid FROM r)
SELECT count(*) FROM r;
