"""Screens of ingestion, one module per noun: sources, keys, quarantine, imports (upload, mapping, progress)."""
