"""A real nginx with the configuration that is shipped, on a port of its own."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

from tests.servers import ROOT, Server, free_port, wait_until

SHIPPED = ROOT / "docker" / "nginx"
# Where `./run test` puts one that the system has not.
OWN = ROOT / ".local" / "nginx" / "usr" / "sbin"

MAIN = """
{user}
daemon off;
worker_processes 1;
error_log {folder}/nginx.log warn;
pid {folder}/nginx.pid;
events {{ worker_connections 256; }}
http {{
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    proxy_cache_path {folder}/kept keys_zone=public:1m use_temp_path=off;
    map $host $app {{ default 127.0.0.1:{app}; }}
    include {shipped}/http.conf;
    server {{
        listen 127.0.0.1:{port};
        include {shipped}/site.conf;
    }}
}}
"""


def nginx_program() -> str | None:
    places = f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin:{OWN}"
    return shutil.which("nginx", path=places)


class Nginx(Server):
    """In front of what listens on a port; asked as the server itself is."""

    def __init__(self, program: str, app_port: int, folder: Path) -> None:
        self.program, self.folder, self.port = program, folder, free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.log = folder / "nginx.log"
        self.config = folder / "nginx.conf"
        self.config.write_text(
            MAIN.format(
                # As root it would give its workers to somebody who may not write here.
                user="user root;" if os.geteuid() == 0 else "",
                folder=folder,
                shipped=SHIPPED,
                app=app_port,
                port=self.port,
            )
        )

    def __enter__(self) -> Nginx:
        command = [self.program, "-c", str(self.config), "-e", str(self.log)]
        self.process = subprocess.Popen([*command, "-p", str(self.folder)])
        wait_until(self.answers, "nginx answers")
        return self

    def answers(self) -> bool:
        assert self.process.poll() is None, self.log.read_text()
        try:
            return self.send("/metrics").status == 404
        except OSError:
            return False
