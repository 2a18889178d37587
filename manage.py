#!/usr/bin/env python
"""Entry to every management command of the hub."""

import os
import sys

from django.core.management import execute_from_command_line

if __name__ == "__main__":
    if sys.argv[1:] == ["up"]:
        # Decides the variables that the settings insist on, so it runs before them.
        from feedbackhub.up import main

        sys.exit(main())
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "feedbackhub.settings")
    execute_from_command_line(sys.argv)
