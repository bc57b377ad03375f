"""Make a user for an entity's crew, with a password that is shown once."""

import secrets
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import transaction
from django.utils.translation import gettext as _

from backend.accounts.models import Membership, User
from provinces.models import Entity


class Command(BaseCommand):
    help = "Creates a crew's user: create_crew USERNAME --entity MOP"

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("username")
        parser.add_argument("--entity", required=True, metavar="CODE")

    @transaction.atomic
    def handle(self, **options: Any) -> None:
        entity = Entity.objects.filter(code=options["entity"]).first()
        if entity is None:
            raise CommandError(_("No existe la entidad %s.") % options["entity"])
        if User.objects.filter(username=options["username"]).exists():
            raise CommandError(_("Ya existe el usuario %s.") % options["username"])
        password = secrets.token_urlsafe(12)
        user = User.objects.create_user(options["username"], password=password)
        Membership.objects.create(user=user, entity=entity)
        self.stdout.write(
            _("%(user)s · %(entity)s · contraseña (se muestra una vez): %(password)s")
            % {"user": user.username, "entity": entity, "password": password}
        )
