"""What the watch over the alert path counts, for Prometheus; docs/watch.md says what it means."""

from __future__ import annotations

from collections.abc import Iterator

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from dispatch import health
from dispatch.timers import Lane
from web.self_watch import SelfWatch


class WatchMetrics(Collector):
    """Reads the watch when asked; names and numbers, nothing of anybody."""

    def __init__(self, watch: SelfWatch) -> None:
        self._watch = watch

    def collect(self) -> Iterator[Metric]:
        """Give each figure as it is now."""
        yield from self._of_process()
        yield self._troubles()
        if self._watch.health is not None:
            yield from self._of_system(self._watch.health)

    def _troubles(self) -> Metric:
        found = GaugeMetricFamily(
            "golden_trouble", "1 while a link in the way of an alert is broken.",
            labels=["kind", "subject"],
        )  # fmt: skip
        for trouble in self._watch.troubles:
            found.add_metric([trouble.fault.kind.value, trouble.fault.subject], 1.0)
        return found

    def _of_process(self) -> Iterator[Metric]:
        one, tailer = self._watch, self._watch.live.tailer
        yield CounterMetricFamily("golden_canaries", "Canaries sent.", value=one.sung)
        yield CounterMetricFamily(
            "golden_canaries_missed", "Canaries that were not stored or heard.", value=one.missed
        )
        yield GaugeMetricFamily(
            "golden_canary_seconds", "Way of the last canary, stored to heard.", value=one.took_s
        )
        skew = GaugeMetricFamily(
            "golden_clock_skew_seconds", "How far a clock is from the agreed time.", labels=["of"]
        )
        skew.add_metric(["machine"], one.clock.machine_off_s)
        skew.add_metric(["database"], one.clock.database_off_s)
        yield skew
        yield GaugeMetricFamily(
            "golden_hints_heard", "1 while Redis brings hints.", value=float(tailer.is_hearing)
        )
        link = tailer.link
        if link is not None:
            yield CounterMetricFamily(
                "golden_hint_links", "Subscriptions made anew.", value=link.reconnects
            )
            yield CounterMetricFamily(
                "golden_hint_links_deaf", "Links that were up and brought nothing.",
                value=link.deaf_found,
            )  # fmt: skip

    def _of_system(self, seen: health.Health) -> Iterator[Metric]:
        now = self._watch.seen_at
        yield GaugeMetricFamily(
            "golden_outbox_lag_seconds", "Wait of the oldest message that is due and not sent.",
            value=health.lag_s(seen.unsent_since, now=now),
        )  # fmt: skip
        lag = GaugeMetricFamily(
            "golden_timers_lag_seconds", "Wait of the oldest timer that is due.", labels=["lane"]
        )
        for lane in Lane:
            lag.add_metric([lane.value], health.lag_s(seen.unfired_since.get(lane), now=now))
        yield lag
        alive = GaugeMetricFamily(
            "golden_processes_alive", "Processes that say so, by role.", labels=["role"]
        )
        for role in sorted({one.role for one in seen.beats} | {health.RUNNER}):
            count = sum(one.is_alive for one in seen.beats if one.role == role)
            alive.add_metric([role], count)
        yield alive
        yield _gateways(seen)


def _gateways(seen: health.Health) -> Metric:
    answers = GaugeMetricFamily(
        "golden_gateway_answers", "The last answers of each gateway, by what it did.",
        labels=["channel", "end"],
    )  # fmt: skip
    for channel, (taken, refused) in seen.gateways.items():
        answers.add_metric([channel, "taken"], taken)
        answers.add_metric([channel, "refused"], refused)
    return answers
