"""Measures `seva` beside PostgreSQL alone (pgbench, the same bodies) and poem alone (fixed bytes), all on one machine in one run.

Prints a Markdown table: requests a second, milliseconds at p50 and p99, CPU a request (server and database together), and the share
of the ceiling, which is measured right before each round, for machines change their speed; then import, export, start, memory, disk and write-ahead log. Each row is the median of its rounds.
BENCH_PATIENTS (60), BENCH_SECONDS (5) a round, BENCH_ROUNDS (3), BENCH_SOAK (0 seconds of create and delete), BENCH_SCALE=1 (searches
at 1,000 and 16,000 patients).
"""

import json
import os
import pathlib
import statistics
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable

import synthea
import workloads
from server import ADDRESS, ROOT, Server

PATIENTS, SECONDS = int(os.environ.get("BENCH_PATIENTS", 60)), float(os.environ.get("BENCH_SECONDS", 5))
ROUNDS, SOAK = int(os.environ.get("BENCH_ROUNDS", 3)), int(os.environ.get("BENCH_SOAK", 0))


def load(mode: str, lines: list[str], connections: int, seconds: float, address: str = ADDRESS) -> dict:
    """Runs the load generator."""
    with tempfile.NamedTemporaryFile("w", suffix=".tsv") as file:
        file.write("\n".join(lines))
        file.flush()
        command = [ROOT / "target/release/bench-load", mode, file.name, str(connections), str(round(seconds)), address, os.environ.get("BENCH_TOKEN", "none")]
        return json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


class Table:
    """Rows as they come."""

    def __init__(self, server: Server):
        self.server = server
        print("\n| work | requests/s | p50 ms | p99 ms | CPU µs | ceiling/s | share |\n|---|---|---|---|---|---|---|", flush=True)

    def row(self, name: str, lines: list[str], ceiling: Callable[[], float] | None = None, connections: int = 8, mode: str = "replay") -> None:
        rounds = []
        for _ in range(ROUNDS):
            most = ceiling() if ceiling else 0
            before = self.server.cpu()
            seen = load(mode, lines, connections, SECONDS)
            seen["cpu"] = (self.server.cpu() - before) / seen["requests"] * 1e6
            seen["rate"], seen["ceiling"] = seen["requests"] / seen["seconds"], most
            rounds.append(seen)
        errors = sum(seen["errors"] for seen in rounds)
        middle = lambda of: statistics.median(map(of, rounds))
        rate, p50, p99, cpu, most = (middle(lambda seen, key=key: seen[key]) for key in ("rate", "p50", "p99", "cpu", "ceiling"))
        share = f"{most:,.0f} | {middle(lambda seen: seen['rate'] / seen['ceiling']):.2f}" if ceiling else "– | –"
        print(f"| {name}{f' ({errors} ERRORS)' if errors else ''} | {rate:,.0f} | {p50:.2f} | {p99:.2f} | {cpu:,.0f} | {share} |", flush=True)


def fill(server: Server, first: int, count: int, small: bool = False) -> tuple[workloads.Loaded, float]:
    """Imports patients by transaction Bundles, four at a time; answers them and the resources a second."""
    bodies = synthea.bundles(first, count, small)
    answers, turn, lock = [None] * count, iter(range(count)), threading.Lock()

    def send() -> None:
        while True:
            with lock:
                number = next(turn, None)
            if number is None:
                return
            answers[number] = server.call("POST", "/fhir", bodies[number])

    begun, threads = time.monotonic(), [threading.Thread(target=send) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    seconds = time.monotonic() - begun
    loaded = workloads.Loaded(bodies, answers)
    return loaded, loaded.count() / seconds


def copied(server: Server) -> float:
    """Rows a second that COPY writes into a table with two indexes, over one connection."""
    with tempfile.TemporaryDirectory() as folder:
        file = pathlib.Path(folder) / "rows"
        server.psql("-c", f"\\copy bench.row TO '{file}'")
        rows = int(server.sql("SELECT count(*) FROM bench.row"))
        begun = time.monotonic()
        for _ in range(3):
            server.psql("-c", "TRUNCATE bench.copied", "-c", f"\\copy bench.copied FROM '{file}'")
        return 3 * rows / (time.monotonic() - begun)


def sizes(server: Server) -> int:
    return sum(int(server.sql(f"SELECT pg_total_relation_size('{table}')")) for table in
               ("resource", "history", "change", "audit", "index_token", "index_reference", "index_uri", "index_string", "index_date", "index_number"))


def wait(server: Server, accepted: tuple) -> dict:
    """Follows a job to its end."""
    place = accepted[1]["Content-Location"]
    while True:
        status, _, body = server.call("GET", place, whole=True)
        if status == 200:
            return json.loads(body)
        time.sleep(0.05)


def bulk(server: Server, loaded: workloads.Loaded) -> None:
    """NDJSON out and in again: the same lines, as updates that change nothing but the version."""
    begun = time.monotonic()
    manifest = wait(server, server.call("GET", "/fhir/$export?_type=Observation", headers={"Prefer": "respond-async", "Accept": "application/fhir+json"}, whole=True))
    parts = [server.call("GET", part["url"], headers={"Accept": "application/fhir+ndjson"}, whole=True)[2] for part in manifest["output"]]
    rows = sum(part.count(b"\n") for part in parts)
    print(f"- NDJSON export of {rows:,} Observations and fetching it: {rows / (time.monotonic() - begun):,.0f} resources/s")
    begun = time.monotonic()
    wait(server, server.call("POST", "/fhir/$import", b"".join(parts), headers={"Content-Type": "application/fhir+ndjson", "Prefer": "respond-async"}, whole=True))
    print(f"- NDJSON import of the same as updates: {rows / (time.monotonic() - begun):,.0f} resources/s", flush=True)


def log_of(server: Server, lines: list[str]) -> float:
    """Bytes of write-ahead log a create, full-page images not counted."""
    server.sql("CREATE EXTENSION IF NOT EXISTS pg_walinspect")
    begun = server.sql("SELECT pg_current_wal_insert_lsn()")
    seen = load("replay", lines, 8, 0)
    time.sleep(0.5)
    ended = server.sql("SELECT pg_current_wal_flush_lsn()")
    return int(server.sql(f"SELECT sum(record_size)::int8 FROM pg_get_wal_stats('{begun}', '{ended}')")) / seen["requests"]


def soak(server: Server, loaded: workloads.Loaded) -> None:
    """Creates and deletes for a while: does a search slow down, does the database grow?"""
    search, cycle = loaded.mix(), loaded.cycle()
    before, size = load("replay", search, 1, SECONDS)["p50"], sizes(server)
    begun, rates = time.monotonic(), []
    while time.monotonic() - begun < SOAK:
        seen = load("cycle", cycle, 8, min(30, SOAK))
        rates.append(seen["requests"] / seen["seconds"])
    after, grown = load("replay", search, 1, SECONDS)["p50"], sizes(server)
    cycles = sum(rates) / len(rates) * (time.monotonic() - begun) / 4
    print(f"- Soak of {SOAK} s: requests/s first {rates[0]:,.0f}, last {rates[-1]:,.0f}; search p50 {before:.2f} ms before, {after:.2f} after; "
          f"{(grown - size) / cycles:,.0f} bytes kept of each create, update and delete", flush=True)


def scale() -> None:
    """The median of searches whose page an index bounds, at 1,000 and at 16,000 patients, one connection."""
    queries = {"Patient?identifier": workloads.Loaded.identifiers, "Patient?name": workloads.Loaded.names,
               "Observation?subject&code": lambda loaded: loaded.observed("subject=Patient/{patient}&code={code}&_sort=-date&_count=50"),
               "Observation?code&_sort=-date": lambda loaded: loaded.observed("code={code}&_sort=-date&_count=50")}
    server, p50 = Server(), {name: [] for name in queries}
    server.log_in()
    for first, count in ((1, 1000), (1001, 15000)):
        loaded, _ = fill(server, first, count, small=True)
        server.sql("VACUUM ANALYZE")
        for name, lines in queries.items():
            p50[name].append(statistics.median(load("replay", lines(loaded), 1, SECONDS)["p50"] for _ in range(ROUNDS)))
    server.remove()
    print("\n| search | p50 at 1,000 patients | at 16,000 | ratio |\n|---|---|---|---|")
    for name, (few, many) in p50.items():
        print(f"| {name} | {few:.2f} ms | {many:.2f} ms | {many / few:.2f} |", flush=True)


def hello() -> float:
    """Requests a second of poem alone, in one round."""
    process = subprocess.Popen([ROOT / "target/release/bench-hello"])
    time.sleep(0.5)
    seen = load("replay", ["GET\t/hello\t"], 8, SECONDS, "127.0.0.1:8099")
    process.terminate()
    process.wait()
    return seen["requests"] / seen["seconds"]


def main() -> None:
    server = Server()
    idle = server.resident()
    print(f"- First start on an empty database, demo data included: {server.cold:.2f} s; resident {idle:.0f} MB")
    server.stop()
    server.start()
    print(f"- Second start: {server.cold:.2f} s")
    server.log_in()
    empty = sizes(server)
    server.peak()
    loaded, rate = fill(server, 1, PATIENTS)
    server.sql("VACUUM ANALYZE")
    print(f"- Import of {PATIENTS} transaction Bundles, {loaded.count():,} resources, four at a time: {rate:,.0f} resources/s; peak of the server {server.peak():.0f} MB")
    print(f"- On disk: {(sizes(server) - empty) / loaded.count():,.0f} bytes a resource (search values, change and audit rows included)")
    server.psql("-f", str(ROOT / "tests/bench/ceilings/tables.sql"))
    rows, kind = (int(part) for part in server.sql("SELECT count(*) || ' ' || (SELECT code / 1000 FROM bench.row GROUP BY 1 ORDER BY count(*) DESC LIMIT 1) FROM bench.row").split())
    copy = copied(server)
    print(f"- COPY into a table with two indexes: {copy:,.0f} rows/s; import reaches {rate / copy:.2f} of it", flush=True)
    of = lambda script, **values: lambda: server.ceiling(script, SECONDS, **values)
    read, fifty = of("read", rows=rows), of("fifty", type=kind)
    table = Table(server)
    table.row("read by id", loaded.reads(), read)
    table.row("Patient?identifier=", loaded.identifiers(), read)
    table.row("Patient?name=", loaded.names(), read)
    table.row("Observation?subject&code&date=ge&_sort=-date&_count=50", loaded.observed("subject=Patient/{patient}&code={code}&date=ge2013&_sort=-date&_count=50"), fifty)
    table.row("Observation?code&_sort=-date&_count=50", loaded.observed("code={code}&_sort=-date&_count=50"), fifty)
    table.row("Observation?subject&code&_include twice, 23 entries", loaded.observed("subject=Patient/{patient}&code={code}&_count=11&_include=Observation:subject&_include=Observation:encounter"))
    table.row("Patient/$everything", loaded.everything())
    table.row("metadata", ["GET\t/fhir/metadata\t"], hello)
    table.row("metadata, gzip", ["GET\t/fhir/metadata\t"], hello, mode="packed")
    for connections in (1, 8, 32):
        table.row(f"24 searches, {connections} connections", loaded.mix(), connections=connections)
    table.row("create Patient", workloads.patients(100_000, 4000), of("insert"))
    table.row("update Observation", loaded.updates(), of("update", rows=rows))
    for connections in (1, 8, 32):
        table.row(f"create, read, update, delete, {connections} connections", loaded.cycle(), connections=connections, mode="cycle")
    print(f"\n- Our row shapes in one statement by pgbench: {statistics.median(of('shape')() for _ in range(ROUNDS)):,.0f} creates/s")
    print(f"- Write-ahead log a create of a Patient, without full-page images: {log_of(server, workloads.patients(200_000, 2000)):,.0f} bytes")
    print(f"- Resident memory of the server after all this: {server.resident():.0f} MB, peak {server.peak():.0f} MB", flush=True)
    bulk(server, loaded)
    if SOAK:
        soak(server, loaded)
    server.remove()
    if os.environ.get("BENCH_SCALE") == "1":
        scale()


if __name__ == "__main__":
    main()
