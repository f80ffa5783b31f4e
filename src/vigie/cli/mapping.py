"""`vigie mapping suggest` and `vigie mapping test`."""

from argparse import Namespace

from vigie.cli.terminal import draw_table, say
from vigie.language import _, number
