"""`manage.py create_user NAME --role ROLE`: a login, also the first administrator of a new installation."""

import getpass
import sys
from typing import Any

from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import transaction

from cdp_site.core import audit
from cdp_site.core.models import Department, Role, User


class Command(BaseCommand):
    help = "Create a login. The password is asked for, or read from standard input with --password-stdin."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("name")
        parser.add_argument("--role", required=True, choices=Role.values)
        parser.add_argument("--department", default="", help="short name of the department")
        parser.add_argument("--password-stdin", action="store_true")

    def handle(self, *args: Any, **options: Any) -> None:
        if User.objects.filter(username=options["name"]).exists():
            raise CommandError(f"There is a user {options['name']!r} already.")
        user = User(username=options["name"], role=options["role"], department=_department(options["department"]))
        password = sys.stdin.readline().rstrip("\n") if options["password_stdin"] else getpass.getpass()
        try:
            validate_password(password, user)
        except ValidationError as error:
            raise CommandError(" ".join(error.messages)) from error
        user.set_password(password)
        with transaction.atomic():
            user.save()
            audit.record(action="user.create", target=user, by="system:command", fields=["role", "department"])


def _department(slug: str) -> Department | None:
    if not slug:
        return None
    department = Department.objects.filter(slug=slug).first()
    if department is None:
        known = ", ".join(Department.objects.values_list("slug", flat=True)) or "none yet"
        raise CommandError(f"There is no department {slug!r}. Known: {known}.")
    return department
