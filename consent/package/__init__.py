"""The copy of everything known about a person: for requests for access (PDPA s.30, GDPR Art. 15) and portability
(PDPA s.31, GDPR Art. 20).

`contents` gathers: every value with its source, what it is used for and who received it, and every row that the holders
of personal data find, so that the copy lists what an erasure would erase and what it would keep. `parts` is where upper
apps add theirs. `writing` writes it as JSON, CSV, HTML and PDF; `making` makes it within the request's job; `links`
lets the person fetch it once.
"""

from consent.package.making import make, remove

__all__ = ["make", "remove"]
