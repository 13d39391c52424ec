"""What the company has set up, as one file: to keep under version control, to compare, to set up a second platform.

No customer, no user, no secret is in it. What is in the file is created or changed; nothing is ever removed by it.
"""
