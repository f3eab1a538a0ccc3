"""Asking responders: send a wave, take the phones' receipts, the answers and the silences."""

from __future__ import annotations

from dispatch.alerts.answers import (
    COVERED,
    accept,
    check_answerable,
    cover,
    decline,
    end_all,
    time_out,
)
from dispatch.alerts.practising import nowhere, practise
from dispatch.alerts.receipts import (
    Level,
    Receipt,
    acknowledge,
    acknowledge_all,
    incidents_of,
    seen,
)
from dispatch.alerts.sending import Sent, note_no_one_left, send_wave
from dispatch.alerts.unheard import Unheard, list_unheard
from dispatch.alerts.yielding import end_practice, give_way

__all__ = [
    "COVERED",
    "Level",
    "Receipt",
    "Sent",
    "Unheard",
    "accept",
    "acknowledge",
    "acknowledge_all",
    "check_answerable",
    "cover",
    "decline",
    "end_all",
    "end_practice",
    "give_way",
    "incidents_of",
    "list_unheard",
    "note_no_one_left",
    "nowhere",
    "practise",
    "seen",
    "send_wave",
    "time_out",
]
