"""Progress of long steps, for the person at the terminal."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    SpinnerColumn,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)
from rich.progress import Progress as Bar

Advance = Callable[[int], None]
"""Called with the number of units that have been done since the last call."""


class Progress:
    """Shows one long step after another: a bar on a terminal, a line at its end elsewhere.

    Examples:
        >>> progress = Progress(Console(quiet=True))
        >>> with progress.step("Loading people", total=500) as advance:
        ...     for _ in range(5):
        ...         advance(100)
    """

    def __init__(self, console: Console | None = None) -> None:
        """`console` is stderr unless said otherwise: stdout belongs to a command's result."""
        self.console = console or Console(stderr=True)

    @contextmanager
    def step(self, title: str, *, total: int | None = None) -> Iterator[Advance]:
        """Show the step for as long as the block runs. Without `total` its end is not known."""
        begun = time.monotonic()
        if self.console.is_terminal:
            count = [MofNCompleteColumn(), TimeRemainingColumn()] if total else []
            columns = [SpinnerColumn(finished_text="[green]✓"), TextColumn("{task.description}"), BarColumn(), *count]
            with Bar(*columns, TimeElapsedColumn(), console=self.console) as bar:
                task = bar.add_task(title, total=total)
                yield lambda units: bar.advance(task, units)
                bar.update(task, total=total or 1, completed=total or 1)
        else:
            yield lambda _units: None
            self.console.print(f"{title}: {time.monotonic() - begun:.1f} s")
