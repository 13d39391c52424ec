"""Mails, chats and calls."""

from __future__ import annotations

from cdp_site.operations.company import wording
from cdp_site.operations.company.accounts import Accounts
from cdp_site.operations.company.draws import hexadecimal, pick, ticket_id
from cdp_site.operations.company.feeds import Message
from cdp_site.operations.company.life import Life
from cdp_site.operations.company.online import WebVisitor
from cdp_site.operations.company.spelling import display_name, keyed_name, phone_as_keyed
from cdp_site.operations.company.year import DAY, HOUR, MINUTE, SECOND, Year, is_sale

_BLOCKED_SHARE = 0.13
_LINE_PHONE_SHARE = 0.4


class Contacts:
    """Everything that is said between the person and the company."""

    def __init__(self, life: Life, accounts: Accounts, web: WebVisitor | None, *, ticket_width: int) -> None:
        self.life = life
        self._accounts = accounts
        self._web = web
        self._ticket_width = ticket_width
        if accounts.line_user:
            self._befriend()

    def mail(self, moment: int) -> None:
        """Send the week's mailing, if it is allowed; four in ten are opened, one in ten brings a visit."""
        life, rng, web = self.life, self.life.rng, self._web
        if web is None:
            return
        sent_at = mailing_time(life.year, moment) + int(rng.random() * 20 * MINUTE)
        if not web.may_mail(sent_at) or life.is_over(sent_at):
            return
        key, thai, english = mailing(life.year, sent_at)
        subject = thai if life.person.language == "th" else english
        mail: Message = {"campaign": f"{key}-{life.year.local(sent_at):%Y%m%d}", "subject": subject}
        web.server.track(sent_at, "Email Delivered", mail)
        opened_at = sent_at + int(rng.random() ** 2 * 30 * HOUR) + MINUTE
        if rng.random() > 0.4 or life.is_over(opened_at):
            return
        web.server.track(opened_at, "Email Opened", mail)
        clicked_at = opened_at + int((5 + rng.random() * 90) * SECOND)
        if rng.random() < 0.26 and not life.is_over(clicked_at + 3 * HOUR):
            web.server.track(clicked_at, "Email Link Clicked", mail | {"link": "/sale"})
            web.visit(clicked_at + 3 * SECOND, campaign={"name": mail["campaign"], "medium": "email"})

    def chat(self, moment: int) -> None:
        """Write something in LINE, and mostly get an answer."""
        life, rng, language = self.life, self.life.rng, self.life.person.language
        self._line_row(moment, "Message Received", pick(rng, wording.CHAT[language]))
        answered_at = moment + int((20 + rng.random() * 1_500) * SECOND)
        if rng.random() < 0.85 and not life.is_over(answered_at):
            self._line_row(answered_at, "Message Sent", pick(rng, wording.REPLIES[language]))

    def call_all(self) -> None:
        """Make the person's calls to the call centre: mostly within days of an order, about it."""
        life, rng = self.life, self.life.rng
        for number in range(self._accounts.tickets):
            order = pick(rng, life.orders) if life.orders and rng.random() < 0.7 else None
            day = life.first_day
            if order:
                day = min(life.last_day, order[0] // DAY + 1 + int(rng.random() * 6))
                moment = life.year.on_day(rng, day, "phone")
            else:
                moment = life.year.draw(rng, life.first_day, life.last_day, "phone")
            self._call(moment, number, order[1] if order else "")

    def _call(self, moment: int, number: int, order_id: str) -> None:
        life, rng = self.life, self.life.rng
        language = life.person.language
        reason = pick(rng, wording.CALL_REASONS)
        note = pick(rng, reason.notes[language if rng.random() < 0.9 else "th"])
        title, given, surname = keyed_name(rng, life.person, life.surname(moment))
        shows_number = rng.random() < 0.96
        phone = life.phone(moment)
        started = life.year.local(moment)
        wants_no_calls = "ไม่รับสาย" in note or rng.random() < 0.01
        row = (
            ticket_id(life.person.number, number, self._ticket_width),
            f"{title}{' ' if title.endswith('.') and language == 'en' else ''}{given}",
            surname if rng.random() < 0.62 else "",
            phone_as_keyed(rng, phone) if rng.random() < 0.3 else f"+66{phone[1:]}" if shows_number else "",
            life.person.email if rng.random() < 0.12 else "",
            f"{started:%Y-%m-%d %H:%M:%S}",
            str(int(40 + rng.random() ** 2 * 900)),
            pick(rng, wording.AGENTS),
            reason.reason,
            pick(rng, reason.outcomes),
            note,
            str(1 + int(rng.random() ** 0.5 * 5)) if rng.random() < 0.35 else "",
            order_id,
            "Y" if wants_no_calls else "",
        )
        life.feeds.calls.append((moment, row))
        life.feeds.touchpoints["Call Ended"] += 1

    def _befriend(self) -> None:
        """Add the company as a friend in LINE, which allows messages; one in eight blocks it again later."""
        life, rng = self.life, self.life.rng
        self._display_name = display_name(rng, life.person)
        self._phone = phone_as_keyed(rng, life.phone(0)) if rng.random() < _LINE_PHONE_SHARE else ""
        moment = life.year.on_day(rng, life.first_day, "online")
        self._line_row(moment, "Friend Added", "")
        blocked_at = moment + int((20 + rng.random() * 200) * DAY)
        self._blocked_at = (
            blocked_at if rng.random() < _BLOCKED_SHARE and not life.is_over(blocked_at) else life.year.end
        )
        if self._blocked_at < life.year.end:
            self._line_row(blocked_at, "Friend Blocked", "")

    def _line_row(self, moment: int, event: str, text: str) -> None:
        if event.startswith("Message") and moment >= self._blocked_at:
            return
        life = self.life
        row: Message = {
            "eventId": f"01{hexadecimal(life.rng, 24).upper()}",
            "timestamp": life.year.epoch(moment),
            "event": event,
            "userId": self._accounts.line_user,
        }
        if text:
            row["text"] = text
        else:
            row["may_send"] = event == "Friend Added"
        if event == "Friend Added":
            row |= {"displayName": self._display_name, "phone": self._phone or None, "language": life.person.language}
        life.feeds.line.append((moment, row))
        life.feeds.touchpoints[event] += 1


def mailing_time(year: Year, moment: int) -> int:
    """Return when the mailing of that moment's week goes out: Thursday at ten, or at seven of a sale's morning."""
    day = moment // DAY
    date = year.date(day)
    if is_sale(date):
        return day * DAY + 7 * HOUR
    thursday = max(0, day - (date.weekday() - 3) % 7)
    return thursday * DAY + 10 * HOUR


def mailing(year: Year, moment: int) -> tuple[str, str, str]:
    """Return (key, Thai subject, English subject) of the mailing that goes out at a moment."""
    date = year.local(moment).date()
    if is_sale(date):
        return wording.DOUBLE_DAY
    if date.month == 4 and date.day < 13:
        return wording.SONGKRAN
    return wording.CAMPAIGNS[date.isocalendar().week % len(wording.CAMPAIGNS)]
