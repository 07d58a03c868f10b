"""``python -m portal`` is ``linli``."""

from portal.cli import main

main(prog_name="linli")
