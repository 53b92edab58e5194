"""`python -m school_portal.cli`: the command, on this interpreter."""

from school_portal.cli import main

main()
