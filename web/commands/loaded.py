"""Everything that an app process or a runner needs, loaded once and forked many times.

Importing this module is its work: the fork server does it before the first fork.
"""

import gc

from dispatch import matching
from geo.walking import WalkingNetwork
from web.commands import runner, serve

__all__ = ["runner", "serve"]

# The compiled loops as well: each process would take a second of its own for them.
WalkingNetwork([], speed_mps=1.0).warm_up()
matching.warm_up()
gc.collect()
# What is loaded now stays; a collector that marked it would make each fork a copy of it.
gc.freeze()
