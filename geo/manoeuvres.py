"""Say in Chinese and English what to do at a turn: by the kind of turn and the street's name.

The routing engine numbers its kinds of manoeuvres and knows no Chinese; `KINDS` is its list.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Turn:
    """What to do at one point of a line, and how far it is to the next."""

    kind: str
    street: str | None
    position: tuple[float, float]
    travel_s: float
    distance_m: float

    @property
    def zh(self) -> str:
        """Give the Chinese words."""
        words, onto = _ZH[self.kind], f"，进入{self.street}" if self.street else ""
        if self.kind in _GOES_ON:
            return f"{words}，沿{self.street}前行" if self.street else f"{words}前行"
        return words if self.kind in _ENDS else words + onto

    @property
    def en(self) -> str:
        """Give the English words."""
        words, onto = _EN[self.kind], f" onto {self.street}" if self.street else ""
        if self.kind in _GOES_ON:
            onto = f" along {self.street}" if self.street else ""
        return words if self.kind in _ENDS else words + onto


_WORDS: dict[str, tuple[str, str]] = {
    "start": ("出发", "Start"),
    "arrive": ("到达目的地", "You have arrived"),
    "arrive_right": ("到达，目的地在右侧", "You have arrived; it is on the right"),
    "arrive_left": ("到达，目的地在左侧", "You have arrived; it is on the left"),
    "becomes": ("继续", "Continue"),
    "continue": ("继续", "Continue"),
    "slight_right": ("向右前方走", "Bear right"),
    "right": ("右转", "Turn right"),
    "sharp_right": ("向右后方急转", "Turn sharp right"),
    "u_turn": ("掉头", "Turn round"),
    "sharp_left": ("向左后方急转", "Turn sharp left"),
    "left": ("左转", "Turn left"),
    "slight_left": ("向左前方走", "Bear left"),
    "ramp": ("进入匝道", "Take the ramp"),
    "exit": ("驶出", "Take the exit"),
    "stay_straight": ("直行", "Keep straight"),
    "stay_right": ("靠右", "Keep right"),
    "stay_left": ("靠左", "Keep left"),
    "merge": ("并入", "Merge"),
    "roundabout": ("进入环岛", "Enter the roundabout"),
    "leave_roundabout": ("驶出环岛", "Leave the roundabout"),
    "ferry": ("乘渡轮", "Take the ferry"),
    "leave_ferry": ("下渡轮", "Leave the ferry"),
    "lift": ("乘电梯", "Take the lift"),
    "steps": ("走楼梯", "Take the steps"),
    "escalator": ("乘自动扶梯", "Take the escalator"),
    "enter": ("进入建筑", "Enter the building"),
    "leave": ("离开建筑", "Leave the building"),
}
_ZH = {kind: zh for kind, (zh, _) in _WORDS.items()}
_EN = {kind: en for kind, (_, en) in _WORDS.items()}
_GOES_ON = {"start", "becomes", "continue"}
_ENDS = {"arrive", "arrive_right", "arrive_left"}

#: The engine's numbers; what is not here counts as going on.
KINDS: dict[int, str] = {
    **dict.fromkeys((1, 2, 3), "start"),
    4: "arrive", 5: "arrive_right", 6: "arrive_left", 7: "becomes", 8: "continue",
    9: "slight_right", 10: "right", 11: "sharp_right", 12: "u_turn", 13: "u_turn",
    14: "sharp_left", 15: "left", 16: "slight_left",
    **dict.fromkeys((17, 18, 19), "ramp"), 20: "exit", 21: "exit",
    22: "stay_straight", 23: "stay_right", 24: "stay_left",
    **dict.fromkeys((25, 37, 38), "merge"),
    26: "roundabout", 27: "leave_roundabout", 28: "ferry", 29: "leave_ferry",
    39: "lift", 40: "steps", 41: "escalator", 42: "enter", 43: "leave",
}  # fmt: skip


def kind_of(number: int) -> str:
    """Name the engine's kind of manoeuvre."""
    return KINDS.get(number, "continue")
