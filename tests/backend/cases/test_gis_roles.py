"""Whoever reads with a GIS, as PostgreSQL itself lets them: over connections of their own."""

from __future__ import annotations

import csv
import json
import re
import subprocess
from collections.abc import Iterator
from io import StringIO
from typing import Any
from uuid import uuid4

import psycopg
import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext
from psycopg import sql as names

from backend.cases import gis_roles
from backend.cases.gis_roles import ANALYST_VIEWS, CONNECTIONS, PUBLIC_VIEWS
from backend.cases.models import Case
from backend.cases.workflow import OPEN, Status
from geo.export import geojson
from geo.filters import Filters
from tests.backend.cases.gis_cases import AT, MARK
from tests.factories import make_case, make_category, make_territory
from tests.geo.many import multiply
from tests.servers import Server, cloned_database, libpq_url, maintenance

Row = dict[str, Any]
# What PostGIS lets everybody read, and a GIS needs: reference systems, its catalogue.
OF_POSTGIS = {"spatial_ref_sys", "geometry_columns", "geography_columns"}


class Gis:
    """A database with cases of every kind, and logins that read it, by their names."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self.reader, self.analyst, self.leaver = (
            f"gis_{uuid4().hex[:12]}" for _ in range(3)
        )
        told = self.shell(
            "from tests.backend.cases.gis_cases import *; make_marked_cases()",
            order("create", self.reader),
            order("create", self.analyst, "--analyst"),
            order("create", self.leaver),
        )
        self.passwords = dict(re.findall(r"^(gis_\w+) .* (\S+)$", told, re.M))
        assert len(self.passwords) == 3

    def shell(self, *code: str) -> str:
        """One process for all of it: to start takes longer than to do."""
        head = "from django.core.management import call_command"
        return self.server.manage("shell", "-c", "\n".join([head, *code]))

    def forget_logins(self) -> None:
        """Roles outlive databases; the two groups stay, as whom nobody can come."""
        with maintenance() as database:
            for name in self.passwords:
                database.execute(f"DROP ROLE IF EXISTS {name}".encode())

    def address(self, name: str) -> dict[str, str]:
        known = psycopg.conninfo.conninfo_to_dict(libpq_url(self.server.database_url))
        return {
            **{key: str(value) for key, value in known.items()},
            "user": name,
            "password": self.passwords[name],
        }

    def connect(self, name: str) -> psycopg.Connection[Any]:
        return psycopg.connect(**self.address(name), autocommit=True)  # type: ignore[arg-type]

    def read(self, name: str, question: str) -> list[tuple[Any, ...]]:
        with self.connect(name) as reader:
            return reader.execute(question.encode()).fetchall()


def order(*words: str) -> str:
    return f"call_command('gis_access', {', '.join(map(repr, words))})"


@pytest.fixture(scope="module")
def gis(django_db_setup, django_db_blocker, tmp_path_factory) -> Iterator[Gis]:
    with cloned_database(django_db_blocker) as url:
        made = Gis(Server(url, tmp_path_factory.mktemp("gis")))
        yield made
    made.forget_logins()


@pytest.fixture
def reader(gis: Gis) -> str:
    return gis.reader


@pytest.fixture
def analyst(gis: Gis) -> str:
    return gis.analyst


pytestmark = pytest.mark.django_db


def test_a_reader_reads_the_public_cases_and_the_outlines(gis, reader):
    found = gis.read(reader, "SELECT category, ST_SRID(geom) FROM public_cases")
    assert sorted(found) == [("K-exact", 4326), ("K-grid", 4326), ("K-grid", 4326)]
    outlines = "SELECT code, ST_GeometryType(geom) FROM {} ORDER BY code"
    assert gis.read(reader, outlines.format("public_districts")) == [
        ("9001", "ST_MultiPolygon"),
        ("9002", "ST_MultiPolygon"),
    ]
    assert len(gis.read(reader, outlines.format("public_corregimientos"))) == 2
    assert gis.read(reader, outlines.format("public_provinces")) == []  # of squares


def test_the_shipped_outlines_are_all_there(db):
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT (SELECT count(*) FROM public_provinces),"
            " (SELECT count(*) FROM public_districts),"
            " (SELECT count(*) > 600 FROM public_corregimientos)"
        )
        assert cursor.fetchone() == (13, 82, True)


def test_the_view_says_what_the_published_file_says(db):
    make_territory()
    for kind in ("exact", "grid", "none", "private"):
        for status in (Status.RECEIVED, Status.RESOLVED):
            category = make_category(
                f"K-{kind[:5]}",
                precision="none" if kind == "private" else kind,
                private=kind == "private",
            )
            make_case(category=category, status=status)
    published = json.loads(b"".join(geojson(Filters())))["features"]
    assert len(published) == 4

    assert [row["number"] for row in rows_of_view()] == [
        feature["id"] for feature in published
    ]
    for row, feature in zip(rows_of_view(), published, strict=True):
        point = json.loads(row.pop("geom"))
        assert point["coordinates"] == feature["geometry"]["coordinates"]
        del row["id"]
        assert row == feature["properties"]


def rows_of_view() -> list[Row]:
    """Its rows as the file writes them; a moment is a moment in both."""
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL TIME ZONE 'America/Panama'")
        cursor.execute("SELECT * FROM public_cases ORDER BY id LIMIT 0")
        columns = [column.name for column in cursor.description]
        moments = {name for name in columns if name.endswith("_at")}
        shown = [
            f"to_char({name}, 'YYYY-MM-DD\"T\"HH24:MI:SSTZH:TZM')"
            if name in moments
            else "ST_AsGeoJSON(geom, 6)"
            if name == "geom"
            else f'"{name}"'
            for name in columns
        ]
        listed = ", ".join(shown)
        cursor.execute(f"SELECT {listed} FROM public_cases ORDER BY id")  # noqa: S608
        return [dict(zip(columns, row, strict=True)) for row in cursor.fetchall()]


def test_the_views_know_which_statuses_are_open(db):
    make_territory()
    make_case(category=make_category())
    with connection.cursor() as cursor:
        for status in Status:
            Case.objects.update(status=status)
            for view in ("public_cases", "analyst_cases"):
                cursor.execute(f"SELECT status, open FROM {view}")  # noqa: S608
                assert cursor.fetchall() == [(status, status in OPEN)]


@pytest.mark.parametrize("who", ["reader", "analyst"])
def test_nobody_reads_or_writes_anything_but_their_views(gis, request, who):
    name = request.getfixturevalue(who)
    views = {*PUBLIC_VIEWS, *(ANALYST_VIEWS if who == "analyst" else ())}
    with gis.connect(name) as their, gis.connect(name) as asking:
        their.execute("SET default_transaction_read_only = off")
        everything = asking.execute(
            "SELECT relname FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace"
            " WHERE relkind IN ('r', 'p', 'v', 'm') AND nspname = 'public'"
        ).fetchall()
        relations = {relation for (relation,) in everything}
        assert {"cases_case", "cases_reporter", "accounts_user"} <= relations
        for relation in sorted(relations - OF_POSTGIS):
            its = names.Identifier(relation)
            if relation in views:
                their.execute(names.SQL("SELECT FROM {} LIMIT 1").format(its))
            else:
                expect_refused(their, names.SQL("SELECT FROM {}").format(its))
            for write in ("DELETE FROM {}", "TRUNCATE {}", "DROP VIEW {}"):
                expect_refused(their, names.SQL(write).format(its))


@pytest.mark.parametrize("who", ["reader", "analyst"])
def test_nobody_makes_anything_of_their_own(gis, request, who):
    name = request.getfixturevalue(who)
    with gis.connect(name) as their:
        with pytest.raises(psycopg.errors.ReadOnlySqlTransaction):
            their.execute("CREATE TEMPORARY TABLE mine ()")
        their.execute("SET default_transaction_read_only = off")
        for attempt in (
            "CREATE TABLE mine ()",
            "CREATE TEMPORARY TABLE mine ()",
            "CREATE SCHEMA mine",
            "CREATE FUNCTION mine() RETURNS int LANGUAGE sql AS 'SELECT 1'",
            "CREATE FUNCTION pg_temp.mine() RETURNS int LANGUAGE sql AS 'SELECT 1'",
            "SELECT lo_create(0)",
            "SELECT nextval('cases_case_number')",
            "SELECT setval('cases_case_number', 1)",
            "SELECT accounts_take('{a}', '{1}', '{1}', '{1}')",
            "INSERT INTO spatial_ref_sys (srid) VALUES (999001)",
            "COPY public_cases TO PROGRAM 'cat'",
            "SET ROLE movil311",
            "SET log_statement = 'none'",
        ):
            expect_refused(their, names.SQL(attempt))


def test_no_function_of_ours_acts_with_anothers_rights(db):
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT proname FROM pg_proc p JOIN pg_namespace n ON n.oid = pronamespace"
            " WHERE nspname = 'public' AND prosecdef AND NOT EXISTS"
            " (SELECT FROM pg_depend d WHERE d.objid = p.oid AND d.deptype = 'e')"
        )
        assert cursor.fetchall() == []


def expect_refused(
    their: psycopg.Connection[Any], attempt: names.SQL | names.Composed
) -> None:
    with pytest.raises(psycopg.Error) as refused:
        their.execute(attempt)
    assert isinstance(
        refused.value,
        psycopg.errors.InsufficientPrivilege
        # Of a view: a table under it is what could be written to.
        | psycopg.errors.WrongObjectType
        | psycopg.errors.ObjectNotInPrerequisiteState,
    ), refused.value


@pytest.mark.parametrize("who", ["reader", "analyst"])
def test_nothing_of_a_person_is_in_any_view(gis, request, who):
    name = request.getfixturevalue(who)
    views = [*PUBLIC_VIEWS, *(ANALYST_VIEWS if who == "analyst" else ())]
    told = " ".join(str(gis.read(name, f"TABLE {view}")) for view in views)
    secrets = [f"{MARK}{what}" for what in ("hint", "name", "note", "consent")]
    secrets += ["6999-1234", "marca@", "41.73", "datetime(2025, 7"]
    for secret in secrets:
        assert secret not in told
    # An analyst reads the words as the public does, of what it does not see too.
    assert (f"{MARK}words" in told) == (who == "analyst")
    for number, pin, private in gis.server.rows(
        "SELECT number, pin, private FROM cases_case JOIN cases_category"
        " ON code = category_id"
    ):
        assert f"'{pin}'" not in told
        assert not private or number not in told


def test_an_analyst_sees_exact_points_and_what_was_hidden_but_no_private_case(
    gis, analyst
):
    found = gis.read(
        analyst,
        "SELECT category, public, corregimiento_code, ST_X(geom), ST_Y(geom)"
        " FROM analyst_cases ORDER BY id",
    )
    assert found == [
        ("K-exact", True, "900101", *AT),
        ("K-exact", False, "900101", *AT),
        ("K-grid", True, "900101", *AT),
        ("K-grid", True, "900101", *AT),
        ("K-none", True, None, None, None),
    ]


def test_private_categories_are_figures_of_at_least_five(gis, analyst):
    found = gis.read(
        analyst, "SELECT district_code, category, year, cases FROM analyst_figures"
    )
    assert found == [("9001", "K-priva", 2026, 5)]


def test_each_use_of_an_analyst_is_written_to_the_log_in_their_name(gis, analyst):
    said: list[str] = []
    with gis.connect(analyst) as their:
        # The log's own lines, as they are written there, come here too when asked for.
        their.execute("SET client_min_messages = 'log'")
        their.add_notice_handler(lambda line: said.append(str(line.message_primary)))
        with their.transaction():
            their.execute("SET TRANSACTION READ ONLY")
            their.execute("SELECT count(*) FROM analyst_cases WHERE category = 'K-1'")
        their.execute("SELECT FROM public_cases")
        uses = [line for line in said if line.startswith("gis_analyst")]
        assert len(uses) == 1
        assert f"gis_analyst {analyst} (socket" in uses[0]
        assert "WHERE category = 'K-1'" in uses[0]
        assert their.execute("SHOW log_statement").fetchone() == ("all",)


@pytest.mark.parametrize("view", ["public_cases", "analyst_cases"])
def test_a_condition_of_the_readers_sees_no_row_that_the_view_does_not_show(gis, view):
    ((private,), (shown,)) = gis.server.rows(
        "SELECT min(number) FROM cases_case GROUP BY category_id"
        " HAVING category_id IN ('K-exact', 'K-priva') ORDER BY category_id DESC"
    )
    # What it breaks on, an error would tell of.
    nosy = f"SELECT FROM {view} WHERE 1 / (CASE number WHEN '%s' THEN 0 ELSE 1 END) = 1"
    assert gis.read(gis.analyst, nosy % private)
    with pytest.raises(psycopg.errors.DivisionByZero):
        gis.read(gis.analyst, nosy % shown)


def test_a_window_of_the_map_is_looked_up_in_the_index(gis, reader):
    """Among thousands: of a handful PostgreSQL believes what it likes."""
    with psycopg.connect(libpq_url(gis.server.database_url), autocommit=True) as owner:
        ((one,),) = owner.execute(
            "SELECT min(id) FROM cases_case WHERE public_location IS NOT NULL"
        ).fetchall()
        multiply(Case(pk=one), 5000, owner)
        try:
            plan = gis.read(
                reader,
                "EXPLAIN SELECT * FROM public_cases"
                " WHERE geom && ST_MakeEnvelope(-79.905, 8.545, -79.9, 8.55, 4326)",
            )
        finally:
            owner.execute("DELETE FROM cases_case WHERE number LIKE 'M%'")
    assert any("public_cases_by_place" in line for (line,) in plan)


def test_ogr2ogr_reads_a_view_as_a_layer(gis, reader):
    address = gis.address(reader)
    told = " ".join(f"{key}='{value}'" for key, value in address.items())
    read = subprocess.run(
        [
            *("ogr2ogr", "-f", "CSV", "/vsistdout/", "-lco", "GEOMETRY=AS_XY"),
            *(f"PG:{told} tables=public_cases", "public_cases"),
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (read.returncode, read.stderr) == (0, "")
    layer = {row["category"]: row for row in csv.DictReader(StringIO(read.stdout))}
    assert layer.keys() == {"K-exact", "K-grid"}
    for kind, metres in (("K-exact", 0.1), ("K-grid", 71)):
        point = float(layer[kind]["X"]), float(layer[kind]["Y"])
        assert point == pytest.approx(AT, abs=metres / 111_320)
    assert float(layer["K-grid"]["X"]) != pytest.approx(AT[0], abs=1e-6)


def test_a_session_has_limits_from_its_beginning(gis, reader):
    with gis.connect(reader) as their:
        for setting, value in {
            "default_transaction_read_only": "on",
            "statement_timeout": "1min",
            "temp_file_limit": "2GB",
        }.items():
            shown = their.execute(f"SHOW {setting}".encode()).fetchone()
            assert shown == (value,)


def test_there_are_only_so_many_connections(gis, reader):
    crowd = []
    try:
        crowd += [gis.connect(reader) for _ in range(CONNECTIONS)]
        with pytest.raises(psycopg.OperationalError, match="too many connections"):
            gis.connect(reader)
    finally:
        for their in crowd:
            their.close()


def test_who_is_revoked_is_out_at_once(gis):
    with gis.connect(gis.leaver) as their:
        told = gis.shell(order("list"), order("revoke", gis.leaver)).splitlines()
        assert f"{gis.leaver} · público · conexiones: 1" in told
        assert f"{gis.analyst} · analista · conexiones: 0" in told
        assert told[-1] == f"{gis.leaver} ya no entra; conexiones cerradas: 1"
        with pytest.raises(psycopg.OperationalError):
            their.execute("SELECT 1")
    with pytest.raises(psycopg.OperationalError):
        gis.connect(gis.leaver)


def test_no_password_stands_in_a_statement(db):
    with CaptureQueriesContext(connection) as said:
        password = gis_roles.create_login("gis_unsaid", analyst=False)
    statements = " ".join(query["sql"] for query in said.captured_queries)
    assert "PASSWORD 'SCRAM-SHA-256$" in statements
    assert password not in statements


@pytest.mark.parametrize("name", ["a b", "Ana", "pg_ana", "an", "1ana", 'a"; DROP', ""])
def test_a_name_is_a_plain_one(db, name):
    with pytest.raises(CommandError, match="no sirve de nombre"):
        call_command("gis_access", "create", name)


def test_a_role_that_is_there_is_neither_taken_nor_revoked(db):
    (own,) = names_of_roles("current_user")
    with pytest.raises(CommandError, match="ya tiene un rol"):
        call_command("gis_access", "create", "public_reader")
    with pytest.raises(CommandError, match="no es un acceso"):
        call_command("gis_access", "revoke", own)
    with pytest.raises(CommandError, match="no es un acceso"):
        call_command("gis_access", "revoke", "public_reader")


def test_without_the_right_to_make_roles_it_says_so(db):
    with connection.cursor() as cursor:
        cursor.execute("CREATE ROLE gis_weak; SET LOCAL ROLE gis_weak")
        with pytest.raises(CommandError, match="CREATEROLE"):
            call_command("gis_access", "create", "gis_ana")


def test_what_only_an_owner_or_a_superuser_can_close_is_said(db):
    """By a user that makes roles and grants, and is neither."""
    with connection.cursor() as cursor:
        cursor.execute("CREATE ROLE gis_maker CREATEROLE; CREATE ROLE gis_any")
        for view in (*PUBLIC_VIEWS, *ANALYST_VIEWS):
            cursor.execute(f"ALTER VIEW {view} OWNER TO gis_maker")
        cursor.execute("ALTER FUNCTION note_analyst_use() OWNER TO gis_maker")
        cursor.execute("SET LOCAL ROLE gis_maker")
        out, err = StringIO(), StringIO()
        call_command(
            "gis_access", "create", "gis_ana", analyst=True, stdout=out, stderr=err
        )
    assert "gis_ana · contraseña" in out.getvalue()
    assert "tablas temporales" in err.getvalue()
    assert "todos los casos" in err.getvalue()
    assert "consulta entera" in err.getvalue()


def names_of_roles(expression: str) -> tuple[str]:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {expression}::text")
        found: tuple[str] = cursor.fetchone()
        return found


def test_the_log_line_names_who_asks_wherever_they_ask_from(gis, analyst, tmp_path):
    """QGIS reads through a cursor in a transaction that only reads."""
    said: list[str] = []
    with gis.connect(analyst) as their:
        their.execute("SET client_min_messages = 'log'")
        their.add_notice_handler(lambda line: said.append(str(line.message_primary)))
        their.execute("BEGIN READ ONLY")
        their.execute("DECLARE c BINARY CURSOR FOR SELECT number FROM analyst_cases")
        assert len(their.execute("FETCH FORWARD 2000 FROM c").fetchall()) == 5
        their.execute("ROLLBACK")
    assert len([line for line in said if line.startswith("gis_analyst")]) == 1
