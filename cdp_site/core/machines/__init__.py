"""Programs of the company that read or merge customers with a key of their own: what a key may do (`scopes`), making,
rotating and revoking keys (`keys`), who a program is before the rules of access (`acting`), and the doors that it may
knock at (`doors`, `rest`). Keys by which sources write are the ingestion app's."""
