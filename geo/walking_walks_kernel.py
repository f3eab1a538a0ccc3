"""Compiled code for the usual question, walks between one place and others, in one call.

To hand over a network's arrays takes about as long as a short walk along them.
"""

import numpy as np

from geo.walking_arrays import Answers, Graph, Snaps, Walks, Workspace
from geo.walking_kernel import compiled, expand, measure


@compiled
def walk(
    graph: Graph, work: Workspace, sides: tuple[Snaps, Snaps], limit: float, walks: Walks
) -> None:
    """Expand from, or to, the one place of the first side; note the walks by the best doors."""
    source, targets = sides
    expand(graph, work, source, (0, len(source.piece)), limit)
    n = len(targets.piece)
    answers = Answers(np.full(n, np.inf), np.full(n, np.inf), np.zeros(n, np.int8))
    measure(graph, work, source, targets, answers)
    for t in range(n):
        place = targets.place[t]
        if answers.effort[t] < walks.effort[place]:
            walks.effort[place], walks.length[place] = answers.effort[t], answers.length[t]
        if targets.piece[t] < 0:
            continue
        part = graph.chain_part[targets.chain[t]]
        for s in range(len(source.piece)):
            if source.piece[s] >= 0 and graph.chain_part[source.chain[s]] == part:
                walks.is_joined[place] = True
