"""Words that upper apps lend to ingestion's screens, which may not import them."""

from collections.abc import Callable, Sequence

from cdp_site.core.errors import InternalError, Text

Choices = Sequence[tuple[str, Text]]  # (stored word, its label)
Provider = Callable[[], tuple[Choices, Choices]]

_providers: dict[str, Provider] = {}


def lend_consent(provider: Provider) -> None:
    """Called once by the app that keeps consents: `provider` returns purposes and channels that may be stated."""
    if "consent" in _providers:
        raise InternalError("the words of consent are lent twice")
    _providers["consent"] = provider


def consent() -> tuple[Choices, Choices]:
    """Purposes and channels; empty while no app keeps consents."""
    provider = _providers.get("consent")
    return provider() if provider else ((), ())
