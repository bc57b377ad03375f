"""P8: how long `./run serve` takes the second time, beside starting its parts alone."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import time
from contextlib import suppress
from pathlib import Path
from urllib.request import urlopen

from tests.benchmarks.bench import Bench, Size
from tests.benchmarks.figures import Result, at_most
from tests.servers import ROOT, free_port, wait_until

WAITS_FOR = "`./run serve`, second time"
ELSEWHERE = "no peer starts with one command"
MORE_SECONDS = 5.0
PATIENCE_SECONDS = 300
# What a checkout is made of; what `run` leaves in it is its own.
LEFT_OUT = shutil.ignore_patterns(".local", ".git", "__pycache__", "node_modules")


def measure(bench: Bench, size: Size) -> Result:
    result = Result()
    checkout = bench.emptied("checkout")
    try:
        shutil.copytree(ROOT, checkout, ignore=LEFT_OUT, dirs_exist_ok=True)
        same_packages(checkout)
        first = seconds_to_serve(checkout)
        second = [seconds_to_serve(checkout) for _ in range(bench.pace.times)]
        parts = [seconds_of_parts(checkout) for _ in range(bench.pace.times)]
    finally:
        shutil.rmtree(checkout, ignore_errors=True)
    ours = result.add("./run serve, second time", second, "s")
    limit = result.add("starting PostgreSQL and one worker", parts, "s")
    result.add("./run serve, first time (packages there, no reports)", [first], "s")
    result.targets.append(
        at_most("more than the limit", ours.middle - limit.middle, MORE_SECONDS, "s")
    )
    return result


def same_packages(checkout: Path) -> None:
    """The packages of this checkout: installing them is not what is measured."""
    store = checkout / ".local"
    store.mkdir()
    for name in ("venv", "stamps"):
        (store / name).symlink_to(ROOT / ".local" / name)


def environment(port: int) -> dict[str, str]:
    """Nobody's settings, so that it makes its own."""
    kept = {
        name: os.environ[name]
        for name in ("PATH", "HOME", "LANG")
        if name in os.environ
    }
    return {**kept, "PORT": str(port), "DEMO": "no"}


def seconds_to_serve(checkout: Path) -> float:
    """Until the first answer; and then it is closed again."""
    port = free_port()
    log = checkout / ".local" / "serve.log"
    start = time.monotonic()
    with log.open("wb") as said:
        process = subprocess.Popen(
            [str(checkout / "run"), "serve"],
            cwd=checkout,
            env=environment(port),
            stdin=subprocess.DEVNULL,
            stdout=said,
            stderr=said,
        )
    try:
        wait_until(lambda: answers(port, process, log), "it serves", PATIENCE_SECONDS)
        return time.monotonic() - start
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(60)


def answers(port: int, process: subprocess.Popen[bytes], log: Path) -> bool:
    assert process.poll() is None, log.read_text()[-1000:]
    with suppress(OSError), urlopen(f"http://127.0.0.1:{port}/readyz"):
        return True
    return False


def seconds_of_parts(checkout: Path) -> float:
    """The database of that checkout with `run`'s own order, and one gunicorn worker."""
    port = free_port()
    env = environment(port)
    start = time.monotonic()
    subprocess.run([str(checkout / "run"), "db", "start"], cwd=checkout, env=env, check=True,
                   capture_output=True)  # fmt: skip
    began = time.monotonic() - start
    url = subprocess.run(
        [str(checkout / "run"), "db", "url"],
        cwd=checkout, env=env, check=True, capture_output=True, text=True,
    ).stdout.strip()  # fmt: skip
    try:
        return began + seconds_of_worker(checkout, url, port)
    finally:
        subprocess.run([str(checkout / "run"), "db", "stop"], cwd=checkout, env=env,
                       check=True, capture_output=True)  # fmt: skip


def seconds_of_worker(checkout: Path, url: str, port: int) -> float:
    log = checkout / ".local" / "worker.log"
    start = time.monotonic()
    with log.open("wb") as said:
        process = subprocess.Popen(
            [
                *(
                    str(checkout / ".local" / "venv" / "bin" / "python"),
                    "-m",
                    "gunicorn",
                ),
                *("backend.config.wsgi", "--workers", "1", "--no-control-socket"),
                *("--bind", f"127.0.0.1:{port}", "--worker-class", "gthread"),
            ],
            cwd=checkout,
            env={
                **environment(port),
                "DATABASE_URL": url,
                "SECRET_KEY": (checkout / ".local" / "secret_key").read_text(),
                "DATA_KEY": (checkout / ".local" / "data_key").read_text(),
            },
            stdout=said,
            stderr=said,
        )
    try:
        wait_until(lambda: answers(port, process, log), "a worker answers", 60)
        return time.monotonic() - start
    finally:
        process.terminate()
        process.wait(60)
