"""Who may read straight from the database with a GIS, and what.

PostgreSQL itself keeps the rule: a login is a member of one of two groups, which may
read some views (migration 0008) and nothing else.
"""

from __future__ import annotations

import re
import secrets
from typing import Any, NamedTuple

from django.db import connection, transaction
from psycopg import sql

PUBLIC_READER = "public_reader"
ANALYST = "gis_analyst"
PUBLIC_VIEWS = (
    "public_cases",
    "public_provinces",
    "public_districts",
    "public_corregimientos",
)
ANALYST_VIEWS = ("analyst_cases", "analyst_figures")
NAME = re.compile(r"(?!pg_)[a-z][a-z0-9_]{2,39}")
CONNECTIONS = 6  # QGIS opens several for one project
# What a session begins with. It may ask for more time, but for no right to write.
SETTINGS = {
    "default_transaction_read_only": "on",
    "statement_timeout": "60s",
    "lock_timeout": "2s",
    "idle_in_transaction_session_timeout": "10min",
}
# Those that only a superuser may set, and that the reader cannot change.
STRICT_SETTINGS = {"temp_file_limit": "2GB"}
STRICT_SETTINGS_OF_ANALYSTS = {"log_statement": "all"}


class NotAName(Exception):
    """Three to forty lower-case letters, digits and low lines, a letter first."""


class NameTaken(Exception):
    """PostgreSQL has a role of this name."""


class NoSuchLogin(Exception):
    """No login of this name was made here."""


class MayNot(Exception):
    """The database's user may make no roles: it needs CREATEROLE, or a superuser."""


class Login(NamedTuple):
    name: str
    is_analyst: bool
    connections: int


@transaction.atomic
def create_login(name: str, *, analyst: bool) -> str:
    """A login that reads the views; its password, which is kept nowhere.

    Raises NotAName, NameTaken, MayNot.
    """
    if not NAME.fullmatch(name):
        raise NotAName(name)
    make_groups()
    if answer("SELECT EXISTS (SELECT FROM pg_roles WHERE rolname = %s)", name):
        raise NameTaken(name)
    password = secrets.token_urlsafe(24)
    run(
        "CREATE ROLE {} LOGIN INHERIT PASSWORD {} CONNECTION LIMIT {}",
        sql.Identifier(name),
        sql.Literal(scrambled(password, name)),
        sql.Literal(CONNECTIONS),
    )
    group = ANALYST if analyst else PUBLIC_READER
    run("GRANT {} TO {}", sql.Identifier(group), sql.Identifier(name))
    for setting, value in settings_of(analyst=analyst).items():
        run(
            "ALTER ROLE {} SET {} = {}",
            sql.Identifier(name),
            sql.Identifier(setting),
            sql.Literal(value),
        )
    return password


def revoke_login(name: str) -> int:
    """The login is gone, and whatever it had open; how many connections that were.

    Raises NoSuchLogin, MayNot.
    """
    if name not in {login.name for login in logins()}:
        raise NoSuchLogin(name)
    expect_right_to_make_roles()
    # First of all it lets nobody in; then it lets go of who is in.
    run("ALTER ROLE {} NOLOGIN", sql.Identifier(name))
    if not is_superuser():
        run("GRANT {} TO CURRENT_USER", sql.Identifier(name))
    ended = answer(
        "SELECT count(pg_terminate_backend(pid, 5000))"
        " FROM pg_stat_activity WHERE usename = %s",
        name,
    )
    run("DROP ROLE {}", sql.Identifier(name))
    return int(ended)


def logins() -> list[Login]:
    """Everybody who may read with a GIS, by name."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT l.rolname, bool_or(g.rolname = %s),"
            " (SELECT count(*) FROM pg_stat_activity a WHERE a.usesysid = l.oid)"
            " FROM pg_roles l JOIN pg_auth_members m ON m.member = l.oid"
            " JOIN pg_roles g ON g.oid = m.roleid"
            " WHERE g.rolname IN (%s, %s) AND l.rolcanlogin AND NOT l.rolsuper"
            " AND NOT l.rolcreaterole AND l.rolname <> current_user"
            " GROUP BY l.oid, l.rolname ORDER BY l.rolname",
            [ANALYST, PUBLIC_READER, ANALYST],
        )
        return [Login(*row) for row in cursor.fetchall()]


@transaction.atomic
def make_groups() -> None:
    """The two groups, with the rights they have in this database. Raises MayNot."""
    expect_right_to_make_roles()
    for group in (PUBLIC_READER, ANALYST):
        # Another database of the cluster may be making it at the same moment.
        run(
            "DO $$ BEGIN CREATE ROLE {} NOLOGIN;"
            " EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL; END $$",
            sql.Identifier(group),
        )
    for view in PUBLIC_VIEWS:
        for group in (PUBLIC_READER, ANALYST):
            grant_reading(view, group)
    for view in ANALYST_VIEWS:
        grant_reading(view, ANALYST)
    run(
        "GRANT EXECUTE ON FUNCTION note_analyst_use() TO {}",
        sql.Identifier(ANALYST),
    )
    # What everybody has who may connect, unless somebody takes it away: a place for
    # tables, which fill a disk, and for functions, which ask what a view hides.
    run("REVOKE CREATE ON SCHEMA public FROM PUBLIC")
    database = sql.Identifier(answer("SELECT current_database()"))
    run("REVOKE TEMPORARY ON DATABASE {} FROM PUBLIC", database)
    if is_superuser():
        close_large_objects()
        let_boxes_through()


def close_large_objects() -> None:
    """Nobody here uses them, and everybody may fill a disk with them."""
    for function in ("lo_creat(int)", "lo_create(oid)", "lo_from_bytea(oid, bytea)"):
        run(f"REVOKE EXECUTE ON FUNCTION {function} FROM PUBLIC")


def let_boxes_through() -> None:
    """Let the barrier of the views use the index for a map's window.

    Two boxes either overlap or not: no error tells more of a row that is not shown.
    """
    run("ALTER FUNCTION geometry_overlaps(geometry, geometry) LEAKPROOF")


class Gaps(NamedTuple):
    """What could not be closed, for want of a right of the database's user."""

    may_fill_the_disk: bool
    windows_are_slow: bool
    statements_are_not_logged: bool


def gaps() -> Gaps:
    return Gaps(
        may_fill_the_disk=bool(
            answer(
                "SELECT has_database_privilege(%s, current_database(), 'TEMPORARY')"
                " OR has_schema_privilege(%s, 'public', 'CREATE')",
                PUBLIC_READER,
                PUBLIC_READER,
            )
        ),
        windows_are_slow=not answer(
            "SELECT proleakproof FROM pg_proc"
            " WHERE oid = 'geometry_overlaps(geometry, geometry)'::regprocedure"
        ),
        statements_are_not_logged=not is_superuser(),
    )


def settings_of(*, analyst: bool) -> dict[str, str]:
    if not is_superuser():
        return SETTINGS
    strict = STRICT_SETTINGS | (STRICT_SETTINGS_OF_ANALYSTS if analyst else {})
    return SETTINGS | strict


def grant_reading(view: str, group: str) -> None:
    run("GRANT SELECT ON {} TO {}", sql.Identifier(view), sql.Identifier(group))


def expect_right_to_make_roles() -> None:
    may = "SELECT rolsuper OR rolcreaterole FROM pg_roles WHERE rolname = current_user"
    if not answer(may):
        raise MayNot


def is_superuser() -> bool:
    return bool(
        answer("SELECT rolsuper FROM pg_roles WHERE rolname = current_user"),
    )


def scrambled(password: str, name: str) -> str:
    """As PostgreSQL keeps it, so that no log of statements has the password itself."""
    connection.ensure_connection()
    server = connection.connection.pgconn
    made: bytes = server.encrypt_password(
        password.encode(), name.encode(), b"scram-sha-256"
    )
    return made.decode()


def run(statement: str, *names: sql.Composable) -> None:
    with connection.cursor() as cursor:
        cursor.execute(sql.SQL(statement).format(*names))


def answer(statement: str, *values: Any) -> Any:
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
        (value,) = cursor.fetchone()
        return value
