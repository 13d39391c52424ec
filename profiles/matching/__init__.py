"""Learned matching: which records are probably one person although no identifier says so.

`comparable` says what of a record is compared, `variables` how, `keys` which records are compared at all; `learned` is
what was learned from people's verdicts. `online` matches what arrives, `batch` what changed; both append links of kind
"model" to the log of decisions, and `profiles.resolution` makes profiles of them.
"""
