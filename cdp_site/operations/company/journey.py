"""One person's year with the company, channel by channel."""

from __future__ import annotations

from cdp_site.operations.company.accounts import RED_SHOES_EVERY, RED_SHOES_PLACE, Accounts
from cdp_site.operations.company.contacts import Contacts
from cdp_site.operations.company.draws import Weighted, generator, ticket_id
from cdp_site.operations.company.feeds import APP, CALLS, LINE, POS, WEB, Feeds
from cdp_site.operations.company.life import Life
from cdp_site.operations.company.online import AppUser, WebVisitor
from cdp_site.operations.company.people import BEHAVIOUR, Person
from cdp_site.operations.company.store import StoreCustomer
from cdp_site.operations.company.year import DAY, Year

#: What one visit comes to in touchpoints, on average (measured), so that a budget becomes a number of visits.
_VISIT_SIZE = {"web": 7.6, "app": 6.6, "mail": 2.4, "store": 1.1, "line": 1.9}
_HOURS = {"web": "online", "app": "online", "mail": "online", "line": "online", "store": "store"}

#: Nobody buys in a store or chats hundreds of times.
_MOST = {"store": 6, "line": 8}

#: Touchpoints that come with having accounts at all (registrations, answers about consent, first visits, calls), and
#: how many each touchpoint of a budget brings: people who are not on line spend less than theirs. Both measured on
#: companies of 10 and of 20 touchpoints a person, so that others come to their number too.
_FLOOR, _YIELD = 5.67, 0.54
_KIOSK_SHARE = 0.06
_KNOWN_FROM_BEFORE_SHARE = 0.6


def live(
    *,
    seed: int,
    person: Person,
    accounts: Accounts,
    year: Year,
    mean_touchpoints: float,
    ticket_width: int,
    feeds: Feeds,
) -> None:
    """Let one person live through the year: append every message and row that the systems send to ``feeds``.

    Args:
        mean_touchpoints: of all people of the company; this one's share follows from ``person.activity``.
        ticket_width: digits of the call centre's ticket numbers.
    """
    rng = generator(seed, person.number, BEHAVIOUR)
    life = Life(person, year, rng, feeds, [])
    web = WebVisitor(life, accounts) if accounts.devices else None
    app = AppUser(life, accounts) if accounts.app_user else None
    store = StoreCustomer(life, accounts.cards) if accounts.cards else None
    contacts = Contacts(life, accounts, web, ticket_width=ticket_width)
    if web and web.user and not life.is_new and rng.random() < _KNOWN_FROM_BEFORE_SHARE:
        web.be_known(year.on_day(rng, 0, "online"))
    for moment, kind in _visits(life, accounts, web, mean_touchpoints):
        if kind == "web" and web:
            web.visit(moment)
        elif kind == "red" and web:
            web.want_red_shoes(moment)
        elif kind == "app" and app:
            app.visit(moment)
        elif kind == "mail":
            contacts.mail(moment)
        elif kind == "store" and store:
            store.buy(moment)
            if web and web.user and rng.random() < _KIOSK_SHARE:
                web.stop_at_kiosk(moment)
        else:
            contacts.chat(moment)
    contacts.call_all()
    _tell_truth(person.number, accounts, web, ticket_width, feeds)


def _visits(life: Life, accounts: Accounts, web: WebVisitor | None, mean_touchpoints: float) -> list[tuple[int, str]]:
    """Return (moment, kind) of the person's visits in order of time: one of each account, then as many as they may."""
    rng, year = life.rng, life.year
    weights: list[tuple[str, int]] = []
    if web:
        weights.append(("web", 10 if web.user else 3))
        if web.wants_mail:
            weights.append(("mail", 26))
    if accounts.app_user:
        weights.append(("app", 8))
    if accounts.cards:
        weights.append(("store", 2))
    if accounts.line_user:
        weights.append(("line", 1))
    if not weights:  # known to the call centre only
        return []
    kinds = Weighted(*weights)
    budget = max(0.0, mean_touchpoints - _FLOOR) / _YIELD * life.person.activity
    planned = [kind for kind, _ in weights if kind in ("web", "app")]
    left = dict(_MOST)
    spent = sum(_VISIT_SIZE[kind] for kind in planned)
    for _ in range(int(budget)):
        if spent >= budget:
            break
        kind = kinds.draw(rng)
        if left.get(kind, 1) == 0:
            continue
        if kind in left:
            left[kind] -= 1
        planned.append(kind)
        spent += _VISIT_SIZE[kind]
    visits = [(year.draw(rng, life.first_day, life.last_day, _HOURS[kind]), kind) for kind in planned]
    if web and life.person.number % RED_SHOES_EVERY == RED_SHOES_PLACE:
        visits.append((year.end - int((1 + rng.random() * 4) * DAY), "red"))
    visits.sort()
    return visits


def _tell_truth(number: int, accounts: Accounts, web: WebVisitor | None, ticket_width: int, feeds: Feeds) -> None:
    """Say which records are this person: accounts, cards, tickets, and devices that were seen without a login."""
    found = [(POS, card.code) for card in accounts.cards]
    found += [(CALLS, ticket_id(number, ticket, ticket_width)) for ticket in range(accounts.tickets)]
    if accounts.web_user:
        found.append((WEB, accounts.web_user))
    if accounts.app_user:
        found.append((APP, accounts.app_user))
    if accounts.line_user:
        found.append((LINE, accounts.line_user))
    if web:
        found += [
            (WEB, device.anonymous_id) for device in accounts.devices if device.anonymous_id in web.seen_before_login
        ]
    feeds.truth.extend((source, external_id, number) for source, external_id in found)
