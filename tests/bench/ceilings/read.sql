\set n random(1, :rows)
SELECT version, day, body FROM bench.row WHERE id = 'b' || :n;
