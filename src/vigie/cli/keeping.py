"""What keeps the store in order: verify, compact, retain, rotate, unseal."""

import re
import sys
from argparse import Namespace
from datetime import UTC, datetime

from vigie import journal
from vigie.cli.terminal import home_of, say, write_json
from vigie.errors import UsageError
from vigie.language import N_, _, number, plural
from vigie.stores import Store

NOTHING, ERROR = 0, 1
