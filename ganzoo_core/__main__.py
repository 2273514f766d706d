"""python -m ganzoo_core is `ganzoo`, for torchrun and for machines without scripts on their path."""

from ganzoo_core.cli import main

main()
