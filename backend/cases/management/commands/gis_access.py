"""Let somebody's GIS read from the database, or no longer."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils.translation import gettext as _

from backend.cases.gis_roles import (
    MayNot,
    NameTaken,
    NoSuchLogin,
    NotAName,
    create_login,
    gaps,
    logins,
    revoke_login,
)


class Command(BaseCommand):
    help = (
        "Logins of PostgreSQL that read the views for a GIS and nothing else: "
        "gis_access create NAME [--analyst] | revoke NAME | list. See docs/gis.md."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        orders = parser.add_subparsers(dest="order", required=True)
        create = orders.add_parser("create", help="prints the password, once")
        create.add_argument("name")
        create.add_argument(
            "--analyst",
            action="store_true",
            help="exact points, for the authority's own; every use is logged",
        )
        orders.add_parser("revoke", help="at once").add_argument("name")
        orders.add_parser("list")

    def handle(self, *, order: str, **options: Any) -> None:
        try:
            if order == "create":
                self.create(options["name"], analyst=options["analyst"])
            elif order == "revoke":
                self.revoke(options["name"])
            else:
                self.list()
        except MayNot as lacking:
            raise CommandError(
                _(
                    "El usuario de DATABASE_URL no puede crear roles: dele CREATEROLE, "
                    "o use esta orden con un superusuario de PostgreSQL."
                )
            ) from lacking

    def create(self, name: str, *, analyst: bool) -> None:
        try:
            password = create_login(name, analyst=analyst)
        except NotAName as wrong:
            raise CommandError(
                _(
                    "%s no sirve de nombre: de 3 a 40 letras minúsculas, cifras y "
                    "guiones bajos, con una letra al principio."
                )
                % name
            ) from wrong
        except NameTaken as taken:
            raise CommandError(_("PostgreSQL ya tiene un rol %s.") % name) from taken
        self.stdout.write(
            _("%(name)s · contraseña (se muestra una vez): %(password)s")
            % {"name": name, "password": password}
        )
        self.warn(analyst=analyst)

    def warn(self, *, analyst: bool) -> None:
        """What this database's user had no right to close."""
        found = gaps()
        warnings = {
            _(
                "Aviso: puede crear tablas temporales; el dueño de la base debe quitar "
                "TEMPORARY y CREATE a PUBLIC."
            ): found.may_fill_the_disk,
            _(
                "Aviso: cada ventana del mapa lee todos los casos; un superusuario "
                "lo arregla con esta misma orden."
            ): found.windows_are_slow,
            _(
                "Aviso: el registro dice cada uso, pero no cada consulta entera; eso "
                "pide un superusuario."
            ): analyst and found.statements_are_not_logged,
        }
        for warning, applies in warnings.items():
            if applies:
                self.stderr.write(warning)

    def revoke(self, name: str) -> None:
        try:
            ended = revoke_login(name)
        except NoSuchLogin as unknown:
            raise CommandError(_("%s no es un acceso de GIS.") % name) from unknown
        self.stdout.write(
            _("%(name)s ya no entra; conexiones cerradas: %(ended)s")
            % {"name": name, "ended": ended}
        )

    def list(self) -> None:
        for login in logins():
            kind = _("analista") if login.is_analyst else _("público")
            self.stdout.write(
                _("%(name)s · %(kind)s · conexiones: %(connections)s")
                % {"name": login.name, "kind": kind, "connections": login.connections}
            )
