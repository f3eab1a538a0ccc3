"""OGC API – Features, Part 1 (OGC 17-069r4), for planners' map programs."""
