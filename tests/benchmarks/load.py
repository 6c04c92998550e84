"""So many requests as a server can answer: by wrk where it is installed, else by our own client."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

CONNECTIONS = 16

_LUA = """
local requests, at = {%s}, 0
local made = {}
init = function()
  for number, each in ipairs(requests) do
    made[number] = wrk.format(each[1], each[2], each[4], each[3])
  end
end
request = function()
  at = at %% #made + 1
  return made[at]
end
done = function(summary, latency)
  local wrong = summary.errors
  io.write(string.format(
    '\\n{"requests": %%d, "seconds": %%f, "p50": %%f, "p99": %%f, "failures": %%d}\\n',
    summary.requests, summary.duration / 1e6,
    latency:percentile(50) / 1e3, latency:percentile(99) / 1e3,
    wrong.connect + wrong.read + wrong.write + wrong.status + wrong.timeout))
end
"""


@dataclass(frozen=True)
class Asked:
    """A POST of JSON; or a GET, if there is no body, by somebody who knows an answer already."""

    path: str
    body: str
    known: str = ""

    @property
    def method(self) -> str:
        return "POST" if self.body else "GET"

    @property
    def headers(self) -> dict[str, str]:
        """Those that matter here."""
        kind = {"content-type": "application/json"} if self.body else {}
        known = {"if-none-match": self.known} if self.known else {}
        return {"accept": "application/json", **kind, **known}

    def __str__(self) -> str:
        """The whole request, as it travels."""
        headers = {"host": "127.0.0.1", **self.headers}
        if self.body:
            headers["content-length"] = str(len(self.body.encode()))
        lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        return f"{self.method} {self.path} HTTP/1.1\r\n{lines}\r\n{self.body}"


@dataclass(frozen=True)
class Served:
    """How a server did under load. Times are milliseconds."""

    requests: int
    seconds: float
    p50: float
    p99: float
    failures: int

    @property
    def rate(self) -> float:
        """Requests per second."""
        return self.requests / self.seconds


def generator() -> str:
    """Who asks."""
    return "wrk, one thread" if shutil.which("wrk") else "our own client on uvloop, one process"


def load(port: int, asked: Sequence[Asked], seconds: int) -> Served:
    """Ask these in turn, over and over, on 16 connections that are kept."""
    if wrk := shutil.which("wrk"):
        with tempfile.NamedTemporaryFile("w", suffix=".lua") as script:
            script.write(_LUA % ",".join(map(_lua_request, asked)))
            script.flush()
            how = ["-t1", f"-c{CONNECTIONS}", f"-d{seconds}s", "--timeout", "30s"]
            said = _said([wrk, *how, "-s", script.name, f"http://127.0.0.1:{port}"])
    else:
        ours = [sys.executable, "-m", "tests.benchmarks.client", str(port)]
        said = _said(
            [*ours, str(CONNECTIONS), str(seconds)], json.dumps([str(each) for each in asked])
        )
    served = Served(**json.loads(said.strip().splitlines()[-1]))
    if served.failures:
        raise RuntimeError(f"{served.failures} of {served.requests} requests failed.")
    # A slow server may need longer than that for its first sixteen.
    return served if served.requests else load(port, asked, 2 * seconds)


def _said(command: list[str], standard_input: str = "") -> str:
    root = Path(__file__).parents[2]
    return subprocess.run(
        command,
        input=standard_input,
        capture_output=True,
        text=True,
        check=True,
        cwd=root,
        timeout=300,
    ).stdout


def _lua_request(asked: Asked) -> str:
    # With spaces: two brackets would open a text.
    headers = ",".join(f"[ {_lua(name)} ]={_lua(value)}" for name, value in asked.headers.items())
    parts = (asked.method, asked.path, asked.body)
    return f"{{{','.join(map(_lua, parts))},{{{headers}}}}}"


def _lua(text: str) -> str:
    # Brackets with more equal signs than anybody writes: nothing inside is special.
    return f"[=====[{text}]=====]"
