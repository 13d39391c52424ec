"""Erasures: how one is carried out (`running`), and what makes it last.

`ledger_lines` writes down outside of the database who was erased, as keyed hashes; `ledger_file` erases them again
after a restore. `holds` keeps single records that a law or a claim needs, and erases them when that ends. `traces`
looks for what may have been left behind, `rewriting` takes it out of the files of the database.
"""

from consent.erasure.running import NO_HOLDER, ROWS_LEFT, preview, resume, run

__all__ = ["NO_HOLDER", "ROWS_LEFT", "preview", "resume", "run"]
