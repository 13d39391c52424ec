"""The sample company: a Thai shop for furniture, shoes and clothes, with its people, systems and their flaws.

Everything is drawn from a seed. `generation` makes it, `files` writes it, `loading` puts it into the database by the
doors that every system uses.
"""
