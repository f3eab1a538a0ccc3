"""Asking responders: send a wave, take the phones' receipts, the answers and the silences."""

from __future__ import annotations

from dispatch.alerts.answers import accept, check_answerable, decline, end_all, time_out
from dispatch.alerts.receipts import Level, acknowledge, seen
from dispatch.alerts.sending import Sent, note_no_one_left, send_wave

__all__ = [
    "Level",
    "Sent",
    "accept",
    "acknowledge",
    "check_answerable",
    "decline",
    "end_all",
    "note_no_one_left",
    "seen",
    "send_wave",
    "time_out",
]
