"""Backups: made every day, kept for a month, restored by one command that erases again whoever was erased since.

A backup is a folder: the database as `pg_dump` writes it, the files of the data folder, the erasure ledger and the
anchors of the audit, all encrypted, and a manifest with checksums that only this installation can write. The keys
(CDP_FILE_KEY, CDP_HASH_KEYS, SECRET_KEY) are not in it, and neither are sessions: who steals a backup has nothing.
"""
