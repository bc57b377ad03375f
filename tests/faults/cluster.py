"""A PostgreSQL of a test's own, which it may kill."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Self

import psycopg
import pytest

from tests.servers import Server, children_of, wait_until

MOUNTS_OF_ITS_OWN = ("unshare", "--user", "--map-root-user", "--mount")


class Cluster:
    """As `scripts/cluster.sh` makes one: durable, on a socket, without a network."""

    def __init__(self, binaries: Path, *settings: str) -> None:
        self.binaries = binaries
        self.settings = [option for setting in settings for option in ("-c", setting)]
        # Not below pytest's own folder: the path of a socket has 107 bytes at most.
        self.folder = Path(tempfile.mkdtemp(prefix="movil311-test-"))
        self.data = self.folder / "pg"
        self.as_server = not_as_root(self.folder)
        self.url = f"postgis://movil311@/postgres?host={self.folder}"

    def __enter__(self) -> Self:
        self.make()
        self.launch()
        self.wait_until_ready()
        return self

    def make(self) -> None:
        self.as_its_user(
            *("initdb", "--pgdata", str(self.data), "--username", "movil311"),
            *("--auth", "trust", "--encoding", "UTF8", "--locale", "C.UTF-8"),
        )

    def as_its_user(self, program: str, *arguments: str) -> None:
        command = [*self.as_server, str(self.binaries / program), *arguments]
        subprocess.run(command, cwd="/", stdout=subprocess.DEVNULL, check=True)

    def __exit__(self, *failure: object) -> None:
        self.postmaster.send_signal(signal.SIGQUIT)
        self.postmaster.wait()
        shutil.rmtree(self.folder)

    def launch(self) -> None:
        postgres = [
            *(*self.as_server, str(self.binaries / "postgres"), "-D", str(self.data)),
            *("-k", str(self.folder), "-c", "listen_addresses=", *self.settings),
        ]
        with (self.folder / "log").open("ab") as log:
            self.postmaster = subprocess.Popen(
                postgres, cwd="/", stdin=subprocess.DEVNULL, stdout=log, stderr=log
            )

    def wait_until_ready(self) -> None:
        wait_until(self.ready, "PostgreSQL is ready")

    def ready(self) -> bool:
        if self.postmaster.poll() is not None:
            # The last one's orphans hold its memory until they notice its death.
            self.launch()
        with suppress(psycopg.OperationalError):
            psycopg.connect(
                host=str(self.folder), user="movil311", dbname="postgres"
            ).close()
            return True
        return False

    def kill(self, *, children: bool) -> None:
        """`kill -9` the postmaster, and its children or not: some still commit then."""
        born = children_of(self.postmaster.pid)
        self.postmaster.kill()
        for child in born if children else []:
            with suppress(ProcessLookupError):
                os.kill(child, signal.SIGKILL)
        self.postmaster.wait()


class Standby(Cluster):
    """A streaming replica of another, made from a copy of it as it is now."""

    def __init__(self, primary: Cluster, *settings: str) -> None:
        super().__init__(primary.binaries, *settings)
        self.primary = primary

    def make(self) -> None:
        self.as_its_user(
            *("pg_basebackup", "--pgdata", str(self.data), "--checkpoint", "fast"),
            *("--write-recovery-conf", "--username", "movil311", "--no-sync"),
            *("--host", str(self.primary.folder)),
        )


class SmallDisk(Cluster):
    """One whose data lie on a disk of a few megabytes, which a test may fill.

    The disk is in a mount namespace of its own, and gone with the process that holds it:
    no rights are needed for it, and nothing stays mounted.
    """

    def __init__(self, binaries: Path, megabytes: int, *settings: str) -> None:
        super().__init__(binaries, *settings)
        self.megabytes = megabytes
        self.data.mkdir()

    def __enter__(self) -> Self:
        mounting = 'mount -t tmpfs -o mode=700,size="$1"m none "$0" && echo && exec cat'
        self.holder = subprocess.Popen(
            [*MOUNTS_OF_ITS_OWN, "sh", "-c", mounting, self.data, str(self.megabytes)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        assert self.holder.stdout is not None
        assert self.holder.stdout.readline() == b"\n", "the disk is there"
        entering = ["nsenter", "--preserve-credentials", "--user", "--mount"]
        self.inside = [*entering, f"--target={self.holder.pid}"]
        postgres = pwd.getpwnam("postgres")
        ids = [f"--map-user={postgres.pw_uid}", f"--map-group={postgres.pw_gid}"]
        self.as_server = [*self.inside, "unshare", "--user", *ids]
        return super().__enter__()

    def __exit__(self, *failure: object) -> None:
        super().__exit__(*failure)
        self.holder.communicate()

    def fill(self) -> None:
        """Until there is no byte left."""
        filling = 'until ! cat /dev/zero >>"$0"; do :; done 2>&-'
        subprocess.run([*self.inside, "sh", "-c", filling, self.ballast], check=True)

    def make_room(self) -> None:
        subprocess.run([*self.inside, "rm", self.ballast], check=True)

    @property
    def ballast(self) -> str:
        return str(self.data / "ballast")


def may_mount() -> bool:
    """Whether a process may have mounts of its own here; in some containers none may."""
    disk = ["mount", "-t", "tmpfs", "none", "/mnt"]
    tried = subprocess.run([*MOUNTS_OF_ITS_OWN, *disk], capture_output=True)
    return tried.returncode == 0


def needed_postgresql() -> Path:
    """The programs of a server that a test may kill; without one it is skipped."""
    binaries = postgresql_with_postgis()
    if binaries is None:
        pytest.skip("needs a PostgreSQL server with PostGIS on this machine")
    return binaries


@contextmanager
def server_set_up(cluster: Cluster, folder: Path) -> Iterator[Server]:
    """A server on a cluster that was empty, with boundaries and catalogue."""
    server = Server(cluster.url, folder)
    server.manage("set_up")
    with server:
        yield server


def postgresql_with_postgis() -> Path | None:
    """The folder of the newest server's programs, where `run` looks for them too."""
    programs = Path("/usr/lib/postgresql").glob("*/bin/initdb")
    versions = sorted((path.parts[-3] for path in programs), key=float, reverse=True)
    for version in versions:
        share = Path("/usr/share/postgresql") / version / "extension"
        if (share / "postgis.control").exists():
            return Path("/usr/lib/postgresql") / version / "bin"
    return None


def not_as_root(folder: Path) -> list[str]:
    """What to put before a server's command: PostgreSQL refuses to run as root."""
    if os.geteuid() != 0:
        return []
    postgres = pwd.getpwnam("postgres")
    ids = [f"--map-user={postgres.pw_uid}", f"--map-group={postgres.pw_gid}"]
    in_namespace = ["unshare", "--user", *ids]
    if subprocess.run([*in_namespace, "true"], capture_output=True).returncode == 0:
        return in_namespace
    os.chown(folder, postgres.pw_uid, postgres.pw_gid)
    return ["setpriv", "--reuid=postgres", "--regid=postgres", "--init-groups"]
