\set n random(1, :rows)
WITH old AS (SELECT id, version, body FROM bench.row WHERE id = 'b' || :n FOR UPDATE),
h AS (INSERT INTO bench.history (id, version, body) SELECT id, version, body FROM old)
UPDATE bench.row SET version = row.version + 1, body = convert_to(repeat('y', 600), 'UTF8') FROM old WHERE row.id = old.id;
