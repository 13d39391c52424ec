"""`manage.py translations`: bring the Thai catalogues in line with the source and compile them."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from cdp_site.operations import translations


class Command(BaseCommand):
    help = (
        "Collects every text of the source, keeps each app's locale/th/LC_MESSAGES/django.po in order, writes its .mo "
        "and lists what has no Thai yet. With --check nothing is written and any gap is an error."
    )
    requires_system_checks = ()  # texts can be collected while a model is half-written

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("apps", nargs="*", help="app labels; all of them if none is given")
        parser.add_argument("--check", action="store_true", help="fail on untranslated, stale or uncompiled texts")

    def handle(self, *args: Any, **options: Any) -> None:
        labels = options["apps"] or translations.OWN_APPS
        if unknown := set(labels) - set(translations.OWN_APPS):
            raise CommandError(f"no such app: {', '.join(sorted(unknown))}")
        try:
            if options["check"]:
                reports = [translations.check(label) for label in labels]
            else:
                known = translations.translations_of(translations.OWN_APPS)
                reports = [translations.update(label, known) for label in labels]
        except ValueError as problem:
            raise CommandError(str(problem)) from problem
        for report in reports:
            self.stdout.write(f"{report.app}: {report.total} texts, {len(report.problems)} to mend")
        problems = [line for report in reports for line in report.problems]
        if options["check"] and problems:
            raise CommandError("\n".join(problems))
        for line in problems:
            self.stdout.write(line)
