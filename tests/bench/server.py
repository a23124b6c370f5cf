"""A server on a fresh data folder, its processes' CPU time and memory, and psql and pgbench on its database."""

import glob
import json
import os
import pathlib
import re
import shutil
import signal
import subprocess
import tempfile
import time
import urllib.request

ROOT = pathlib.Path(__file__).resolve().parents[2]
ADDRESS = "127.0.0.1:8098"
TICKS = os.sysconf("SC_CLK_TCK")
USER, PASSWORD = "bench", "a-benchmark-password"


def tool(name: str) -> str:
    """A program of PostgreSQL: from the path, or the newest of Debian's folders."""
    found = shutil.which(name) or max(glob.glob(f"/usr/lib/postgresql/*/bin/{name}"), default=None)
    if not found:
        raise SystemExit(f"{name} is missing: apt-get install postgresql")
    return found


class Server:
    """`seva serve` with its private PostgreSQL."""

    def __init__(self):
        self.data = pathlib.Path(tempfile.mkdtemp(prefix="seva-bench-"))
        self.data.chmod(0o755)
        self.environment = {**os.environ, "SEVA_DATA_FOLDER": str(self.data), "SEVA_SERVER_LISTEN": ADDRESS, "SEVA_LOG_LEVEL": "warn"}
        self.start()

    def start(self) -> None:
        """Starts it and waits until it answers; `cold` is how long that took in seconds."""
        begun = time.monotonic()
        self.process = subprocess.Popen([ROOT / "target/release/seva", "serve", "--demo"], env=self.environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        while True:
            try:
                urllib.request.urlopen(f"http://{ADDRESS}/fhir/metadata", timeout=1).read()
                break
            except OSError:
                if self.process.poll() is not None or time.monotonic() - begun > 60:
                    raise SystemExit("the server did not start") from None
                time.sleep(0.01)
        self.cold = time.monotonic() - begun

    def log_in(self) -> None:
        """Makes an administrator of the demo hospital and logs it in."""
        tenant = self.sql("SELECT name FROM tenant WHERE id <> 0 ORDER BY id LIMIT 1")
        subprocess.run([ROOT / "target/release/seva", "account", "--tenant", tenant, "--username", USER, "--name", "Benchmark", "--roles", "hospital-admin"],
                       env=self.environment, input=PASSWORD + "\n", text=True, check=True, stdout=subprocess.DEVNULL)
        answer = self.call("POST", "/v1/sessions", {"username": USER, "password": PASSWORD})
        self.token = os.environ["BENCH_TOKEN"] = answer["token"]

    def call(self, method: str, path: str, body: dict | bytes | None = None, headers: dict | None = None, whole: bool = False):
        """One request; answers the JSON, or status, headers and bytes."""
        data = json.dumps(body).encode() if isinstance(body, dict) else body
        kind = "application/fhir+json" if path.startswith("/fhir") else "application/json"
        own = {"Content-Type": kind, **({"Authorization": f"Bearer {self.token}"} if hasattr(self, "token") else {}), **(headers or {})}
        url = path if path.startswith("http") else f"http://{ADDRESS}{path}"
        with urllib.request.urlopen(urllib.request.Request(url, data, own, method=method), timeout=600) as answer:
            content = answer.read()
            return (answer.status, answer.headers, content) if whole else json.loads(content)

    def stop(self) -> None:
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(60)

    def remove(self) -> None:
        self.stop()
        shutil.rmtree(self.data, ignore_errors=True)

    def postmaster(self) -> int:
        return int(next(self.data.glob("*/postmaster.pid")).read_text().split()[0])

    def cpu(self) -> float:
        """Seconds of CPU that server and database have used together."""
        postmaster = self.postmaster()
        fields = lambda pid: pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
        ticks = sum(map(int, fields(self.process.pid)[11:13])) + sum(map(int, fields(postmaster)[11:15]))
        for stat in glob.glob("/proc/[0-9]*/stat"):
            try:
                parts = fields(stat.split("/")[2])
                ticks += sum(map(int, parts[11:13])) if int(parts[1]) == postmaster else 0
            except OSError:
                continue
        return ticks / TICKS

    def resident(self) -> float:
        """Resident memory of the server alone, MB."""
        return int(re.search(r"VmRSS:\s+(\d+)", pathlib.Path(f"/proc/{self.process.pid}/status").read_text())[1]) / 1024

    def peak(self) -> float:
        """The most that it ever was since the last look, MB."""
        most = int(re.search(r"VmHWM:\s+(\d+)", pathlib.Path(f"/proc/{self.process.pid}/status").read_text())[1]) / 1024
        pathlib.Path(f"/proc/{self.process.pid}/clear_refs").write_text("5")
        return most

    def psql(self, *arguments: str) -> str:
        command = [tool("psql"), "-h", str(self.data / "socket"), "-U", "seva", "-XAtq", "-v", "ON_ERROR_STOP=1", *arguments, "seva"]
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()

    def sql(self, statement: str) -> str:
        return self.psql("-c", statement)

    def ceiling(self, script: str, seconds: float, connections: int = 8, **variables: int) -> float:
        """Transactions a second of a pgbench script."""
        values = [part for name, value in variables.items() for part in ("-D", f"{name}={value}")]
        command = [tool("pgbench"), "-n", "-M", "prepared", f"-c{connections}", "-j1", f"-T{max(1, round(seconds))}", *values,
                   "-f", str(ROOT / "tests/bench/ceilings" / f"{script}.sql"), "-h", str(self.data / "socket"), "-U", "seva", "seva"]
        printed = subprocess.run(command, check=True, capture_output=True, text=True).stdout
        # Its processes of PostgreSQL end a moment later: their CPU is none of what is measured next.
        time.sleep(0.5)
        return float(re.search(r"tps = ([\d.]+)", printed)[1])
