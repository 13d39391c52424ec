"""`manage.py train_matching`: a new model of matching from what people have said of pairs."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, no_translations

from profiles.matching import model_wording, training

BY = "system:train-matching"


class Command(BaseCommand):
    help = (
        "Train a new model of matching from the labels: also in place of one whose file is damaged or was made by "
        "another version of the platform. It is used once somebody has looked at its trial and takes it into use."
    )

    @no_translations
    def handle(self, *args: Any, **options: Any) -> None:
        self._phase = ""
        model = training.train_now(by=BY, progress=self._tell)
        if model.problem is not None:
            raise CommandError(f"{model_wording.problem(model.problem)} {model_wording.remedy(model.problem['code'])}")
        judged = sum(model.labels[name] for name in ("same", "different"))
        self.stdout.write(
            f"Model {model.version} is ready: {judged} labels, {model.seconds:.1f} s, {model.memory_mb} MB. "
            "Look at its trial and take it into use on the page of models."
        )

    def _tell(self, phase: str, _done: int, _total: int) -> None:
        if phase != self._phase:
            self._phase = phase
            self.stderr.write(f"{model_wording.PHASES[phase]} …")
