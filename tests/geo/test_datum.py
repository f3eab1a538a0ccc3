"""Datum shifts against published vectors, and their inverse against themselves."""

import math
import random

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from geo import datum, position
from geo.datum import Crs
from geo.position import Position

lons, lats = st.floats(73.5, 135.0), st.floats(18.0, 53.5)

# WGS-84 and GCJ-02 of ten places, by the published formula.
VECTORS = {
    "Beijing": ((116.39739, 39.90886), (116.403634, 39.910263)),
    "Wuhan": ((114.305, 30.593), (114.310444, 30.590590)),
    "Xiamen": ((118.089, 24.479), (118.093977, 24.476353)),
    "Nanchang": ((115.858, 28.683), (115.862901, 28.679670)),
    "Shanghai": ((121.265, 31.375), (121.269445, 31.373038)),
    "Chengdu": ((104.066, 30.573), (104.068504, 30.570545)),
    "Urumqi": ((87.617, 43.825), (87.619850, 43.826206)),
    "Lhasa": ((91.132, 29.66), (91.133544, 29.657280)),
    "Harbin": ((126.535, 45.803), (126.541040, 45.804982)),
    "Sanya": ((109.512, 18.253), (109.516084, 18.251294)),
}

ABROAD = {
    "Hong Kong": (114.165, 22.28), "Sheung Shui": (114.128, 22.502), "Ping Chau": (114.435, 22.545),
    "Tung Chung": (113.94, 22.29), "Macau": (113.545, 22.195), "Coloane": (113.56, 22.12),
    "Taipei": (121.56, 25.03), "Kaohsiung": (120.3, 22.6), "Kinmen": (118.32, 24.44),
    "Lieyu": (118.235, 24.43), "Nangan": (119.93, 26.15), "Penghu": (119.57, 23.57),
    "Singapore": (103.85, 1.29), "Seoul": (126.98, 37.57), "Hanoi": (105.85, 21.03),
    "Ulaanbaatar": (106.9, 47.9), "Vladivostok": (131.9, 43.11), "Blagoveshchensk": (127.54, 50.28),
    "Almaty": (76.9, 43.24), "Kathmandu": (85.3, 27.7), "Tokyo": (139.7, 35.7),
    "Monaco": (7.42, 43.73),
}  # fmt: skip

NEAR_A_BORDER = {
    "Luohu": (114.115, 22.54), "Futian": (114.05, 22.53), "Shekou": (113.92, 22.48),
    "Nan'ao": (114.48, 22.54), "Gongbei": (113.549, 22.225), "Hengqin": (113.53, 22.11),
    "Dadeng": (118.33, 24.56), "Pingtan": (119.79, 25.5), "Zhoushan": (122.1, 30.0),
    "Weihai": (122.12, 37.5), "Dandong": (124.385, 40.125), "Heihe": (127.49, 50.245),
    "Fuyuan": (134.3, 48.36), "Hunchun": (130.36, 42.86), "Erenhot": (111.97, 43.65),
    "Manzhouli": (117.43, 49.59), "Khorgas": (80.42, 44.2), "Tashkurgan": (75.23, 37.77),
    "Yadong": (88.9, 27.48), "Ruili": (97.85, 24.01), "Hekou": (103.94, 22.52),
    "Dongxing": (107.97, 21.55), "Haikou": (110.33, 20.03),
}  # fmt: skip


@pytest.mark.parametrize("name", VECTORS)
def test_DAT_1_gcj02_equals_the_published_vectors(name: str) -> None:
    wgs, gcj = VECTORS[name]
    assert datum.from_wgs84(*wgs, Crs.GCJ02) == pytest.approx(gcj, abs=1e-6)
    assert datum.to_wgs84(*gcj, Crs.GCJ02) == pytest.approx(wgs, abs=1e-6)


def test_DAT_1_bd09_equals_the_published_vectors() -> None:
    shifted = datum.from_wgs84(116.403988, 39.914266, Crs.BD09)
    assert shifted == pytest.approx((116.41661560068297, 39.92196580126834), abs=1e-9)
    tiananmen = datum.from_wgs84(116.39739, 39.90886, Crs.BD09)
    assert tiananmen == pytest.approx((116.410006, 39.916603), abs=1e-6)


def test_DAT_1_the_inverse_equals_a_published_one() -> None:
    found = datum.to_wgs84(123.0, 45.0, Crs.GCJ02)
    assert found == pytest.approx((122.99395597, 44.99804071), abs=1e-6)


@given(lons, lats, st.sampled_from(list(Crs)))
def test_DAT_2_there_and_back_is_the_same_place(lon: float, lat: float, crs: Crs) -> None:
    assume(datum.is_mainland(lon, lat))
    back = datum.to_wgs84(*datum.from_wgs84(lon, lat, crs), crs)
    assert position.distance_m(Position(lon, lat), Position(*back)) < 0.001


def test_DAT_2_the_inverse_is_within_a_centimetre_at_a_hundred_thousand_places() -> None:
    rng = random.Random(2026)
    worst_m, tried = 0.0, 0
    while tried < 100_000:
        lon, lat = rng.uniform(73.5, 135.0), rng.uniform(18.0, 53.6)
        crs = Crs.GCJ02 if tried % 2 else Crs.BD09
        shifted = datum.from_wgs84(lon, lat, crs)
        if shifted == (lon, lat):
            continue  # not in the mainland
        tried += 1
        back_lon, back_lat = datum.to_wgs84(*shifted, crs)
        east = (back_lon - lon) * math.cos(math.radians(lat))
        worst_m = max(worst_m, math.hypot(east, back_lat - lat) * 111_320)
    assert worst_m <= 0.01


@given(lons, lats)
def test_the_shift_is_some_hundred_metres(lon: float, lat: float) -> None:
    assume(datum.is_mainland(lon, lat))
    shifted = Position(*datum.from_wgs84(lon, lat, Crs.GCJ02))
    assert 10 < position.distance_m(Position(lon, lat), shifted) < 800


@pytest.mark.parametrize("name", ABROAD)
@pytest.mark.parametrize("crs", list(Crs))
def test_DAT_3_abroad_and_in_hong_kong_macau_taiwan_nothing_moves(name: str, crs: Crs) -> None:
    place = ABROAD[name]
    assert datum.from_wgs84(*place, crs) == place


@pytest.mark.parametrize("name", [name for name in ABROAD if name != "Sheung Shui"])
def test_DAT_3_what_is_said_to_be_shifted_abroad_is_not(name: str) -> None:
    # Within a shift's length of the border nobody can tell; there the mainland reading wins.
    assert datum.to_wgs84(*ABROAD[name], Crs.GCJ02) == ABROAD[name]


@pytest.mark.parametrize("name", NEAR_A_BORDER)
def test_DAT_3_towns_at_the_border_are_mainland(name: str) -> None:
    assert datum.is_mainland(*NEAR_A_BORDER[name])
