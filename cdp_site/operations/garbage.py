"""Looking for garbage in a web server, where all that was loaded at its start stays to its end."""

import gc

from django.urls import get_resolver


def leave_out_program() -> None:
    """The program itself is no garbage: to look through it again and again took a tenth of each answer."""
    _ = get_resolver().url_patterns  # loads the views
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 50)
