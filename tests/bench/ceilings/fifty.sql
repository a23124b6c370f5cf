\set c random(0, 19)
SELECT id, version, body FROM bench.row WHERE code = :type * 1000 + :c ORDER BY day DESC LIMIT 50;
