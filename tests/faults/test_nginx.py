"""nginx as it is shipped: what it keeps, for whom, and while the app is away (R34)."""

from __future__ import annotations

import gzip
import subprocess
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from psycopg import sql

from tests.faults.ledger import REPORTS, letter
from tests.nginx import SHIPPED, Nginx, nginx_program
from tests.servers import Answer, Server, free_port, maintenance, wait_until

HEAT = "/api/v1/heat/?zoom=7"
TILE = "/tiles/heat/7/35/61.mvt"
MINUTE = {"Cache-Control": "public, max-age=60"}
PUBLIC_DOORS = [HEAT, "/", "/data/cases.geojson?limit=5", "/api/v1/categories/"]


class Quiet(ThreadingHTTPServer):
    def handle_error(self, request: Any, client_address: Any) -> None:
        """nginx hangs up when a test is over: not worth a word."""


class App:
    """Stands in for the app where it matters what exactly it answers and is asked."""

    def __init__(self) -> None:
        self.headers: dict[str, str] = dict(MINUTE)
        self.status = 200
        self.asked: list[dict[str, str]] = []
        self.methods: list[str] = []
        self.open = threading.Event()
        self.open.set()
        app = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_HEAD(self) -> None:
                app.methods.append(self.command)
                self.send_response(app.status)
                for name, value in app.headers.items():
                    self.send_header(name, value)
                self.end_headers()

            def do_GET(self) -> None:
                app.methods.append(self.command)
                app.asked.append(dict(self.headers))
                number = len(app.asked)
                app.open.wait(20)
                body = f"{number} {self.headers['Accept-Language']}".encode()
                if "gzip" in self.headers.get("Accept-Encoding", ""):
                    body = gzip.compress(body)
                self.send_response(app.status)
                if "gzip" in self.headers.get("Accept-Encoding", ""):
                    self.send_header("Content-Encoding", "gzip")
                for name, value in app.headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, format: str, *args: Any) -> None:
                pass

        self.server = Quiet(("127.0.0.1", 0), Handler)
        self.port = self.server.server_address[1]


@pytest.fixture(scope="module")
def program() -> str:
    found = nginx_program()
    if found is None:
        pytest.skip("needs nginx on this machine, as `./run test` gets it")
    return found


@pytest.fixture
def app() -> Iterator[App]:
    stand_in = App()
    thread = threading.Thread(target=stand_in.server.serve_forever)
    thread.start()
    try:
        yield stand_in
    finally:
        stand_in.open.set()
        stand_in.server.shutdown()
        stand_in.server.server_close()
        thread.join()


@pytest.fixture
def nginx(program, app, tmp_path_factory) -> Iterator[Nginx]:
    with Nginx(program, app.port, tmp_path_factory.mktemp("nginx")) as running:
        yield running


def ask(nginx: Nginx, path: str = TILE, **headers: str) -> tuple[str, str | None]:
    """What was answered, and where from."""
    more = {name.replace("_", "-"): value for name, value in headers.items()}
    answer = nginx.send(path, more=more)
    body = answer.body
    if answer.headers["Content-Encoding"] == "gzip":
        body = gzip.decompress(body)
    return body.decode(), answer.headers["X-Cache"]


def test_what_is_for_all_is_asked_of_the_app_once(nginx, app):
    assert ask(nginx) == ("1 es", "MISS")
    assert ask(nginx) == ("1 es", "HIT")
    assert ask(nginx, path=HEAT) == ("2 es", "MISS")
    assert len(app.asked) == 2


def test_each_language_and_each_encoding_has_its_own_whatever_else_is_sent(nginx, app):
    assert ask(nginx, Accept_Language="es-PA,es;q=0.9,en;q=0.8") == ("1 es", "MISS")
    assert ask(nginx, Accept_Language="en-US,en;q=0.9,es;q=0.8") == ("2 en", "MISS")
    for said in ("fr-FR,fr;q=0.9,en;q=0.5,es;q=0.3", "en", "EN-gb"):
        assert ask(nginx, Accept_Language=said) == ("2 en", "HIT")
    for said in ("", "fr", "es,en", "pt, es;q=0.5, en;q=0.2", "eng-x"):
        assert ask(nginx, Accept_Language=said) == ("1 es", "HIT")
    for cookie, found in {
        "django_language=en": ("2 en", "HIT"),
        "a=b; django_language=es": ("1 es", "HIT"),
        "django_language=xx": ("1 es", "HIT"),
        "csrftoken=of-somebody": ("1 es", "HIT"),
    }.items():
        assert ask(nginx, Cookie=cookie) == found
    assert ask(nginx, Accept_Encoding="br, gzip") == ("3 es", "MISS")
    assert ask(nginx, Accept_Encoding="gzip, deflate") == ("3 es", "HIT")
    assert ask(nginx, Accept_Encoding="gzip;q=0") == ("1 es", "HIT")
    assert not [asked for asked in app.asked if "Cookie" in asked]


def test_of_whoever_asks_the_app_is_told_nothing_that_the_key_has_not(nginx, app):
    more = {
        "Accept": "text/html",
        "Accept-Charset": "utf-16",
        "Content-Type": "text/plain; charset=utf-16",
        "Origin": "https://example.org",
        "Range": "bytes=0-1",
        "User-Agent": "somebody/1",
        "X-Forwarded-Host": "example.org",
        "X-HTTP-Method-Override": "POST",
    }
    nginx.send(HEAT, more=more)
    assert {name.lower() for name in app.asked[0]} == {
        "accept-language",
        "host",
        "x-forwarded-for",
        "x-forwarded-proto",
    }


def test_where_one_address_has_html_and_json_each_has_its_own(nginx, app):
    door, browser = "/ogc/collections", "text/html,*/*;q=0.8"
    assert ask(nginx, path=door, Accept=browser) == ("1 es", "MISS")
    assert app.asked[0]["Accept"] == browser
    assert ask(nginx, path=door, Accept="application/json") == ("2 es", "MISS")
    assert ask(nginx, path=door) == ("3 es", "MISS")
    assert ask(nginx, path=door, Accept=browser) == ("1 es", "HIT")


@pytest.mark.parametrize(
    "headers",
    [
        {"Authorization": "Token abc"},
        {"X_Case_Pin": "123456"},
        {"Cookie": "sessionid=abc"},
        {"X_Proof": "abc"},
    ],
)
def test_whoever_says_who_they_are_is_answered_by_the_app_and_that_is_not_kept(
    nginx, app, headers
):
    assert ask(nginx, **headers) == ("1 es", "BYPASS")
    (name, value) = next(iter(headers.items()))
    assert app.asked[0][name.replace("_", "-")] == value
    assert ask(nginx) == ("2 es", "MISS")
    assert ask(nginx, **headers) == ("3 es", "BYPASS")
    assert ask(nginx) == ("2 es", "HIT")


def test_whoever_has_just_written_is_answered_anew_and_so_are_all_after_them(
    nginx, app
):
    assert ask(nginx) == ("1 es", "MISS")
    assert ask(nginx, Cookie="written=7:sig") == ("2 es", "BYPASS")
    assert app.asked[1]["Cookie"] == "written=7:sig"
    assert ask(nginx) == ("2 es", "HIT")


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Cache-Control": "no-store"},
        {"Cache-Control": "private, max-age=60"},
        {**MINUTE, "Set-Cookie": "csrftoken=of-one"},
    ],
)
def test_what_the_app_does_not_call_public_is_never_kept(nginx, app, headers):
    app.headers = headers
    assert ask(nginx) == ("1 es", "MISS")
    assert ask(nginx) == ("2 es", "MISS")


@pytest.mark.parametrize(
    "path",
    [
        "/api/v1/cases/26-0000001-4/",
        "/casos/26-0000001-4",
        "/fotos/2026/11/a.jpg",
        "/seguir/token",
        "/open311/v2/requests.json",
        "/admin/",
    ],
)
def test_what_may_have_to_be_gone_at_once_is_never_kept(nginx, app, path):
    assert ask(nginx, path=path) == ("1 None", None)
    assert ask(nginx, path=path) == ("2 None", None)


def test_a_file_of_all_cases_is_not_kept(nginx):
    assert ask(nginx, path="/data/cases.geojson?state=open") == ("1 es", "MISS")
    assert ask(nginx, path="/data/cases.geojson?state=open") == ("2 es", "MISS")
    assert ask(nginx, path="/data/cases.geojson?limit=9") == ("3 es", "MISS")
    assert ask(nginx, path="/data/cases.geojson?limit=9") == ("3 es", "HIT")


@pytest.mark.parametrize("path", [TILE, "/data/cases.gpkg"])
def test_who_asks_for_the_headers_alone_has_the_app_do_no_more(nginx, app, path):
    with closing(HTTPConnection("127.0.0.1", nginx.port, 20)) as reader:
        reader.request("HEAD", path)
        assert reader.getresponse().status == 200
    assert app.methods == ["HEAD"]
    # And is not given to those who want the rest.
    assert ask(nginx, path=path) == ("1 es", "MISS")


def test_the_rest_of_a_file_is_asked_of_the_app(nginx, app):
    ask(nginx, path="/data/files/x/a.gpkg", Range="bytes=7-", If_Range='"a"')
    (asked,) = app.asked
    assert (asked["Range"], asked["If-Range"]) == ("bytes=7-", '"a"')


def test_a_person_whose_file_is_gone_gets_a_page(nginx, app):
    ask(nginx, path="/data/builds/x", Accept="text/html")
    ask(nginx, path="/data/cases.geojson", Accept="text/html")
    build, data = app.asked
    assert build["Accept"] == "text/html"
    assert "Accept" not in data


def test_a_crowd_that_asks_for_something_new_is_one_question(nginx, app):
    app.open.clear()
    answers: list[tuple[str, str | None]] = []
    crowd = [
        threading.Thread(target=lambda: answers.append(ask(nginx))) for _ in range(20)
    ]
    for one in crowd:
        one.start()
    wait_until(lambda: len(app.asked) == 1, "the app is asked")
    app.open.set()
    for one in crowd:
        one.join()
    assert {body for body, _ in answers} == {"1 es"}
    assert len(app.asked) == 1


def test_within_the_time_for_it_the_old_is_shown_while_the_new_is_fetched(nginx, app):
    app.headers = {"Cache-Control": "public, max-age=1, stale-while-revalidate=600"}
    assert ask(nginx) == ("1 es", "MISS")
    app.open.clear()
    wait_until(lambda: ask(nginx)[1] in {"STALE", "UPDATING"}, "it is a second old")
    app.open.set()
    wait_until(lambda: ask(nginx)[0] != "1 es", "the new one is there")


def test_after_that_time_nobody_is_shown_what_is_old(nginx, app):
    app.headers = {"Cache-Control": "public, max-age=1"}
    assert ask(nginx) == ("1 es", "MISS")
    wait_until(lambda: ask(nginx) != ("1 es", "HIT"), "it is a second old")
    assert len(app.asked) == 2


@pytest.mark.parametrize("status", [500, 502, 503, 504])
def test_while_the_app_fails_what_there_was_is_shown_and_said_to_be_old(
    nginx, app, status
):
    app.headers = {"Cache-Control": "public, max-age=1"}
    assert ask(nginx) == ("1 es", "MISS")
    app.status = status
    wait_until(lambda: ask(nginx) == ("1 es", "STALE"), "it is a second old")


def test_what_is_wrong_is_answered_as_wrong(nginx, app):
    """And not with what there was."""
    app.headers = {"Cache-Control": "public, max-age=1"}
    ask(nginx)
    app.status = 400
    wait_until(lambda: nginx.send(TILE).status == 400, "it is a second old")


def test_one_address_that_asks_too_fast_is_told_so(nginx):
    answers = [nginx.send("/metrics/x").status for _ in range(600)]
    assert set(answers) == {200, 429}
    assert answers[:250] == [200] * 250


def test_nginx_understands_what_docker_gives_it(program, tmp_path):
    """With the folders of this machine in place of the container's."""
    main = (SHIPPED.parent / "nginx.conf").read_text()
    for there, here in {
        "user nginx;": "",
        "/etc/nginx/mime.types": str(tmp_path / "mime.types"),
        "/etc/nginx/movil311": str(SHIPPED),
        "/var/cache/nginx": str(tmp_path),
        "/var/run": str(tmp_path),
        "listen 80": f"listen 127.0.0.1:{free_port()}",
    }.items():
        assert there in main
        main = main.replace(there, here)
    (tmp_path / "mime.types").write_text("types { text/html html; }")
    (tmp_path / "nginx.conf").write_text(main)
    told = subprocess.run(
        [program, "-t", "-p", str(tmp_path), "-c", str(tmp_path / "nginx.conf")],
        capture_output=True,
        text=True,
        check=False,
    )
    problems = [line for line in told.stderr.splitlines() if "/var/lib" not in line]
    assert "syntax is ok" in told.stderr, problems


# ── In front of the real app ─────────────────────────────────────────────────────────


@pytest.fixture
def front(server: Server, program: str, tmp_path_factory) -> Iterator[Nginx]:
    folder = tmp_path_factory.mktemp("front")
    with Nginx(program, server.port, folder) as running:
        yield running


def test_the_apps_own_answers_are_kept_and_gzipped(front):
    for door in PUBLIC_DOORS:
        more = {"Accept-Encoding": "gzip"}
        first, second = (front.send(door, more=more) for _ in range(2))
        assert (first.status, first.headers["X-Cache"]) == (200, "MISS"), door
        assert (second.status, second.headers["X-Cache"]) == (200, "HIT"), door
        assert first.body == second.body
        if len(front.send(door).body) > 1400:
            assert first.headers["Content-Encoding"] == "gzip", door


def test_a_browser_and_a_program_are_given_their_own_form(front):
    def kind(accept: str, door: str) -> str:
        answer = front.send(door, more={"Accept": accept})
        return str(answer.headers["Content-Type"].partition(";")[0])

    browser = "text/html,application/xhtml+xml,*/*;q=0.8"
    for door in ("/ogc/", "/ogc/collections", "/ogc/api"):
        for _ in range(2):
            assert kind(browser, door) == "text/html", door
            assert "json" in kind("application/json", door), door
            assert "json" in kind("*/*", door), door
    schema = "/api/v1/schema/"
    assert kind(browser, schema) != kind("application/json", schema)


THROUGH_TLS = {"X-Forwarded-Proto": "https"}


class Secure(Server):
    """One that is asked as the proxy asks it, or it sends everybody to HTTPS."""

    def answers(self) -> bool:
        with suppress(OSError):
            return self.send("/readyz", more=THROUGH_TLS).status == 200
        return False


def test_behind_a_proxy_that_speaks_https_nobody_is_sent_round_and_round(
    program, server, tmp_path_factory, tmp_path
):
    with (
        Secure(server.database_url, tmp_path, HTTPS="true") as secure,
        Nginx(program, secure.port, tmp_path_factory.mktemp("front")) as front,
    ):
        for door in (*PUBLIC_DOORS, "/reportar", "/healthz"):
            assert front.send(door, more=THROUGH_TLS).status == 200, door
            plain = front.send(door)
            assert plain.status == 301, door
            assert plain.headers["Location"].startswith("https://"), door


def test_nobody_can_have_another_answer_kept_under_an_address(front, server):
    odd = {"Content-Type": "text/plain; charset=utf-16"}
    heat = "/api/v1/heat/?state=resolved&zoom=09"
    district = "/ogc/collections/districts/items?name=Chitr%C3%A9"
    for door in (heat, district):
        assert front.send(door, more=odd).headers["X-Cache"] == "MISS"
        assert front.send(door).headers["X-Cache"] == "HIT"
    kept, asked = front.send(heat).json(), server.send(heat).json()
    assert {**kept, "generated_at": ""} == {**asked, "generated_at": ""}
    assert front.send(district).json()["numberMatched"] == 1


def test_while_database_or_app_are_away_the_map_is_shown_and_nothing_is_lost(
    front, server
):
    for door in PUBLIC_DOORS:
        assert front.send(door).status == 200
    said = letter("Hueco")

    with database_away(server):
        wait_until(lambda: is_old(front, HEAT), "the heat is old", 75)
        assert [front.send(door).status for door in PUBLIC_DOORS] == [200] * 4
        refused = front.send(REPORTS, said.body, said.content_type)
        assert says_come_back(refused)
    assert front.send(REPORTS, said.body, said.content_type).status == 201

    with app_away(server):
        assert [front.send(door).status for door in PUBLIC_DOORS] == [200] * 4
        assert says_come_back(front.send(REPORTS, said.body, said.content_type))
        page = front.send("/casos/26-0000001-4")
        assert page.status == 503
        assert "queda guardado en su teléfono" in page.body.decode()


def is_old(front: Nginx, door: str) -> bool:
    """Shown as it was, once it would have been asked for again."""
    answer = front.send(door)
    assert answer.status == 200, door
    return answer.headers["X-Cache"] == "STALE"


def says_come_back(answer: Answer) -> bool:
    return (
        answer.status == 503
        and answer.headers["Retry-After"] == "2"
        and answer.headers["Content-Type"].startswith("application/problem+json")
        and answer.json()["type"] == "/problems/unavailable"
    )


@contextmanager
def database_away(server: Server) -> Iterator[None]:
    """Nobody may connect, and whoever was is not any more."""
    name = server.database_url.partition("@/")[2].partition("?")[0]
    lock = "ALTER DATABASE {} ALLOW_CONNECTIONS {}"
    with maintenance() as database:
        database.execute(sql.SQL(lock).format(sql.Identifier(name), sql.SQL("false")))
        database.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s",
            [name],
        )
        try:
            yield
        finally:
            again = sql.SQL(lock).format(sql.Identifier(name), sql.SQL("true"))
            database.execute(again)


@contextmanager
def app_away(server: Server) -> Iterator[None]:
    """gunicorn is killed outright; the fixture ends what is started again."""
    workers = server.worker_pids()
    server.process.kill()
    server.process.wait()
    for pid in workers:  # who would serve on until they notice
        server.kill_worker(pid)
    try:
        yield
    finally:
        server.__enter__()
