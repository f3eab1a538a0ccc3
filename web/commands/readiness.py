"""How a child of `golden up` says that it does its work now."""

import os

#: Named in the child's environment: the pipe that it writes one line to.
READY_FD = "GOLDEN_READY_FD"
#: Names the child in its own log.
PROCESS = "GOLDEN_PROCESS"


def say_ready() -> None:
    """Tell the supervisor, if there is one; the second call does nothing."""
    number = os.environ.pop(READY_FD, None)
    if number is not None:
        with open(int(number), "w") as pipe:  # noqa: PTH123 - an inherited file descriptor
            pipe.write("ready\n")
