\set n random(1, :rows)
SELECT version, updated, body FROM resource WHERE tenant = 1 AND type = 103 AND id = 'b' || :n;
