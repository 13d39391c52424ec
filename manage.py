#!/usr/bin/env python3
"""The platform's one door: `python3 manage.py demo`, `python3 manage.py test`, `python3 manage.py help`."""

import sys

from cdp_site import bootstrap

if __name__ == "__main__":
    bootstrap.run(sys.argv)
