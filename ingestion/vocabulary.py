"""Words that upper apps lend to ingestion's screens, which may not import them."""

from collections.abc import Callable, Sequence

from cdp_site.core.errors import InternalError, Text

Choices = Sequence[tuple[str, Text]]  # (stored word, its label)
Provider = Callable[[], tuple[Choices, Choices]]
Shared = tuple[Sequence[str], Sequence[str]]  # short names of purposes; channels

_providers: dict[str, Provider] = {}
_sharing: dict[str, Callable[[], Shared]] = {}


def lend_consent(provider: Provider) -> None:
    """Called once by the app that keeps consents: `provider` returns purposes and channels that may be stated."""
    if "consent" in _providers:
        raise InternalError("the words of consent are lent twice")
    _providers["consent"] = provider


def consent() -> tuple[Choices, Choices]:
    """Purposes and channels; empty while no app keeps consents."""
    provider = _providers.get("consent")
    return provider() if provider else ((), ())


def lend_sharing(provider: Callable[[], Shared]) -> None:
    """Called once by the app that keeps consents: `provider` returns the purposes that are a sale or sharing of data,
    and the channels on which they are refused. It is asked for each request that a browser marks."""
    if "consent" in _sharing:
        raise InternalError("the purposes of sharing are lent twice")
    _sharing["consent"] = provider


def shared() -> Shared:
    """The purposes that a browser's Sec-GPC: 1 refuses, and on which channels; none while no app keeps consents."""
    provider = _sharing.get("consent")
    return provider() if provider else ((), ())
