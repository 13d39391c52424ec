"""The breach helper: whom a leaked file, key or account affects, and by when the office has to know (PDPA s.37(4),
GDPR Art. 33: 72 hours; the people without delay where the risk is high).

`leaks` knows the kinds of leaks and how each leads to people, `finding` writes them down, `recording` keeps the record
of the breach, `report` makes its papers.
"""
