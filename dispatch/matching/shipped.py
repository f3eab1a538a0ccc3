"""PURE. The policies that every installation has; what others do is stylised from their reports.

`expected-survival` is the default. Sources of the others' numbers are in docs/policies.md.
"""

from __future__ import annotations

from collections.abc import Mapping

from dispatch.matching.policy import Chooser, Policy

_ALL = (
    Policy(),
    # For those who refuse survival models: minutes to CPR, then minutes to the shock.
    Policy(
        name="lexicographic", chooser=Chooser.LEXICOGRAPHIC, model="lexicographic", price=0.05
    ),
    # PulsePoint-like: everyone within 400 m, straight to the patient.
    Policy(
        name="radius-400", chooser=Chooser.RADIUS, radius_m=400, wave_size=100, live_most=100,
        alerts_cap=100, aeds_most=0,
    ),
    Policy(
        name="nearest-10", chooser=Chooser.NEAREST, wave_size=10, live_most=10, alerts_cap=10,
        aeds_most=0,
    ),
    # HartslagNu-like: the 100 nearest within 1.5 km, one third direct, two thirds by an AED.
    Policy(
        name="two-thirds-aed", chooser=Chooser.TWO_THIRDS, radius_m=1_500, wave_size=100,
        live_most=100, alerts_cap=100, reach_s=1_800,
    ),
    # GoodSAM-like: the three nearest, each refusal replaced.
    Policy(
        name="three-and-replace", chooser=Chooser.REPLACE, wave_size=3, live_most=3, aeds_most=0,
        alert_expires_s=30, is_limited=True,
    ),
    # van den Berg et al. 2026: seven live alerts, each refusal replaced at once.
    Policy(
        name="seven-and-replace", chooser=Chooser.REPLACE, wave_size=7, live_most=7, aeds_most=0,
        alert_expires_s=30,
    ),
)  # fmt: skip

#: By name.
SHIPPED: Mapping[str, Policy] = {policy.name: policy for policy in _ALL}
