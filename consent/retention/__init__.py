"""Retention of what profiles hold, by rules of compliance (GDPR Art. 5(1)(e); PDPA s.37(3)).

`rules` writes them, `touchpoints`, `values` and `people` know what is past its days and remove a portion of it,
`running` does so by the clock under a budget, and counts beforehand what would go. What a request, a restriction or a
hold keeps stays (`held`). Raw messages and files have rules of their own: `ingestion.health.retention`.
"""
