"""Nothing of a customer's addresses leaves but through the gate: by the import graph, and by every place that hands
something out. A new such place fails here until somebody has written down why it may."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import grimp
import pytest

ROOT: Final = Path(__file__).resolve().parents[3]
APPS: Final = ("cdp_site", "ingestion", "profiles", "consent", "segments")
GATE: Final = "consent.gate"

# What writes a file for somebody, or streams one → "gate", or why it holds nobody's address that may be used.
FILES: Final = {
    "segments/views/exports.py": "gate",
    "ingestion/views/imports.py": "rows of an imported file that are broken, back to the steward who brought them",
    "consent/views/audit.py": "the audit holds no values",
    "consent/views/breaches.py": "whom a breach affects, for the duty to tell them",
    "consent/views/certificates.py": "a certificate holds no personal data",
    "consent/views/data_map.py": "tables and fields",
    "consent/views/fetch.py": "how the others answer",
    "consent/views/holds.py": "the rows that a hold keeps, for the claim or duty that it names",
    "consent/views/packages.py": "the person's own data, to the person",
    "consent/views/request_steps.py": "a letter to the person about their own request",
}
# What sends something to somebody outside → "gate", or why it is no contact of a customer.
SENDERS: Final = {
    "consent/preferences/mails.py": "gate",
    "consent/requests/messages.py": "codes and news of a request, to the address that it is about (identity.py)",
    "consent/requests/clock.py": "alerts to staff",
    "consent/requests/gateways.py": "carries what messages.py gives it",
    "cdp_site/core/login/mails.py": "staff",
    "ingestion/health/delivery.py": "alerts to staff and their systems",
    "ingestion/webhooks/relay.py": "LINE's own reports, to the company's chatbot",
}
# What reads identifiers of people above the profiles app → why no address comes out of it.
READERS: Final = {
    "consent/gate.py": "the gate",
    "consent/reach_sql.py": "its set: ids of people alone",
    "consent/state_sql.py": "what was said of addresses, for the two",
    "consent/dossier.py": "what the gate decides by, for one person",
    "consent/contacts.py": "what is wrong with an address, for the dossier",
    "consent/impact.py": "how many addresses a merge changes",
    "consent/subjects.py": "whom an erasure is about",
    "consent/preferences/asking.py": "who has an address that somebody typed",
    "consent/requests/identity.py": "channels that are known for long enough for a code",
    "consent/package/links.py": "where the link to a person's own copy goes",
    "consent/requests/news.py": "the address by which the person was identified, for news of their own request",
    "consent/breach/finding.py": "who is on a leaked list",
    "segments/comparing.py": "a count",
    "segments/catalogue.py": "the names of kinds",
    "segments/remembered.py": "keys of what a count rests on",
    "segments/lists/finding.py": "who has an id that somebody uploaded",
    "segments/exports/comparison.py": "who is on a list that somebody uploaded",
}
WRITES_FILE: Final = re.compile(r"Content-Disposition|StreamingHttpResponse|FileResponse|\battachment\(")
SENDS: Final = re.compile(r"\bEmailMessage\(|\bsend_mail\(|\boutgoing\.(send|post|call)\w*\(")
READS: Final = re.compile(r"\bIdentifier\.objects\b|\bIdentifier\._meta\b|\bprofiles_identifier\b(?!key)")
OPENS_PROGRAM: Final = re.compile(r"""mailto:|["']tel:|["']sms:""")


def sources(*apps: str, suffixes: tuple[str, ...] = (".py",)) -> Iterator[tuple[str, str]]:
    for app in apps:
        for path in sorted((ROOT / app).rglob("*")):
            if path.suffix in suffixes and "migrations" not in path.parts and "vendor" not in path.parts:
                yield path.relative_to(ROOT).as_posix(), path.read_text("utf-8")


def matching(pattern: re.Pattern[str], *apps: str) -> set[str]:
    return {name for name, text in sources(*apps) if pattern.search(text)}


@pytest.fixture(scope="module")
def graph() -> grimp.ImportGraph:
    return grimp.build_graph(*APPS, cache_dir=None)


def module(path: str) -> str:
    return path.removesuffix(".py").replace("/", ".").removesuffix(".__init__")


def test_every_place_that_writes_a_file_is_decided() -> None:
    assert matching(WRITES_FILE, *APPS) == set(FILES)


def test_every_place_that_sends_is_decided() -> None:
    assert matching(SENDS, *APPS) <= set(SENDERS)


def test_every_place_above_the_profiles_that_reads_identifiers_is_decided() -> None:
    aside = ("consent/erasure/",)  # what erases and what looks for traces
    found = {name for name in matching(READS, "consent", "segments") if not name.startswith(aside)}
    assert found <= set(READERS)


@pytest.mark.parametrize(
    "path", [path for path, why in {**FILES, **SENDERS}.items() if why == "gate"] + ["segments/exports/job.py"]
)
def test_what_goes_through_the_gate_imports_it(path: str, graph: grimp.ImportGraph) -> None:
    assert graph.find_shortest_chain(module(path), GATE), path


def test_a_list_gets_its_addresses_from_the_gate_alone(graph: grimp.ImportGraph) -> None:
    """Of the modules that make lists one asks the gate, and none reads identifiers or decides by what was said."""
    makers = {one for one in graph.modules if one.startswith("segments.exports.")}
    direct = {one for one in makers if GATE in graph.find_modules_directly_imported_by(one)}
    assert direct == {"segments.exports.gating"}
    deciding = {"consent.dossier", "consent.states", "consent.state_sql", "consent.answers", "consent.matrix"}
    for one in makers:
        assert not graph.find_modules_directly_imported_by(one) & deciding, one
    assert graph.find_modules_that_directly_import("segments.exports.gating") >= {"segments.exports.listing"}


def test_the_lower_apps_know_no_addresses_to_use(graph: grimp.ImportGraph) -> None:
    """Ingestion and profiles cannot contact anybody: they cannot even ask whether they may."""
    below = [one for one in graph.modules if one.split(".")[0] in ("ingestion", "profiles")]
    assert not [one for one in below if graph.find_shortest_chain(one, GATE)]


def test_only_the_consent_panel_opens_a_program_with_an_address() -> None:
    found = {name for name, text in sources("templates", suffixes=(".html",)) if OPENS_PROGRAM.search(text)}
    found |= matching(OPENS_PROGRAM, "cdp_site", "profiles", "consent", "segments")
    found |= {
        name
        for name, text in sources("static", suffixes=(".js",))
        if OPENS_PROGRAM.search(text) and "vendor" not in name
    }
    assert found == {"consent/matrix.py"}
