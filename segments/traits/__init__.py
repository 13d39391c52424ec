"""Computed traits: a value of each customer that the platform works out from what they did and bought.

`formula` is what is computed, in the pieces of the language of definitions; `statement` says it in SQL, `reference` in
plain Python; `keeping` keeps the stored values fresh; `reading` gives them to pages and definitions.
"""
