"""Fill the sea: OpenStreetMap draws only its edge, with the land on the left of each line."""

from collections.abc import Iterator, Sequence

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely.geometry import LineString, Polygon

_STEP_DEG = 1e-6  # about 0.1 m: how far beside the shore a test point lies
_SAMPLES = 400  # shore pieces looked at per line; all of them agree in sound data


def sea(shores: Sequence[LineString], box: tuple[float, float, float, float]) -> list[Polygon]:
    """Give the water inside the box (west, south, east, north; degrees).

    Shores that end inside the box, as they do at the edge of an extract, are led on straight away
    from its middle: what lies there is outside the data and only rounds off the picture.
    """
    if not shores:
        return []
    frame = shapely.box(*box)
    merged = shapely.get_parts(shapely.line_merge(shapely.union_all(list(shores))))
    lines = [_led_on(line, frame) for line in merged if line.intersects(frame)]
    edges = shapely.union_all([*lines, frame.exterior])
    pieces = [
        piece
        for piece in shapely.get_parts(shapely.polygonize(list(shapely.get_parts(edges))))
        if frame.contains(piece.representative_point())
    ]
    votes = _votes(pieces, lines)
    return [piece for piece, vote in zip(pieces, votes, strict=True) if vote > 0]


def _led_on(line: LineString, frame: Polygon) -> LineString:
    if line.is_ring:
        return line
    points = list(line.coords)
    first, last = (_beyond(point, frame) for point in (points[0], points[-1]))
    return LineString([*first, *points, *last])


def _beyond(point: tuple[float, ...], frame: Polygon) -> Iterator[tuple[float, float]]:
    """Yield a point outside the frame, seen from its middle through a loose end."""
    if not frame.contains(shapely.Point(point)):
        return
    middle = frame.centroid
    east, north = point[0] - middle.x, point[1] - middle.y
    stretch = (frame.length / max(1e-9, (east * east + north * north) ** 0.5)) + 1
    yield middle.x + east * stretch, middle.y + north * stretch


def _votes(pieces: Sequence[Polygon], lines: Sequence[LineString]) -> NDArray[np.int64]:
    """Count for each piece on how much shore it is the right-hand, wet side."""
    votes = np.zeros(len(pieces), dtype=np.int64)
    tree = shapely.STRtree(list(pieces))
    for line in lines:
        right, left = _beside(line)
        for points, weight in ((right, 1), (left, -1)):
            _, hit = tree.query(shapely.points(points), predicate="within")
            np.add.at(votes, hit, weight)
    return votes


def _beside(line: LineString) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    coords = np.asarray(line.coords)[:, :2]
    step = max(1, (len(coords) - 1) // _SAMPLES)
    start, end = coords[:-1][::step], coords[1:][::step]
    along = end - start
    length = np.hypot(along[:, 0], along[:, 1])[:, None]
    along = along / np.where(length == 0, 1, length)
    to_the_right = np.column_stack([along[:, 1], -along[:, 0]]) * _STEP_DEG
    middle = (start + end) / 2
    return middle + to_the_right, middle - to_the_right
