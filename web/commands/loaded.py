"""Everything that an app process or a runner needs, loaded once and forked many times.

Importing this module is its work: the fork server does it before the first fork.
"""

import gc

from web.commands import runner, serve

__all__ = ["runner", "serve"]

gc.collect()
# What is loaded now stays; a collector that marks it would make each fork a copy of it.
gc.freeze()
