"""Which part of a recording a picture of one moment needs: a moment and what runs -> seconds.

Knows nothing of decoding or drawing.
"""

from __future__ import annotations

from operators.action.build import MAX_FRAMES
from operators.action.operator import FRAMES, STRIDE
from operators.errors import UsageError
from operators.settings import Settings
from operators.weights.head_needs import HeadNeeds, chosen_header, head_choice
from pipeline.configuration.config import Config

REMEMBERING = {"track", "tamper"}  # what they say of a moment rests on all before it
_SLACK_S = 0.001  # a frame's time is rounded to microseconds


def needed_span_s(config: Config, still_s: float, *, fps: float) -> tuple[float, float] | None:
    """From when to when frames are to be analysed, seconds since the recording's first; None: all
    of them, where an operator remembers, action samples at no rate, or its settings are refused
    when it is built.

    The map that holds at the moment may be of a frame one sampling period before; of an action's
    windows those that reach the moment are needed, and they must begin where a whole run's begin.

    Args:
        config: what runs, with which heads and samplings.
        still_s: the moment.
        fps: of the film that the picture is of.
    """
    shown_s = still_s + 1 / fps  # the film's frame may be so much later
    spans = [_of_maps(config, operator, still_s, shown_s) for operator in config.operators]
    if REMEMBERING & set(config.operators):
        return None
    if "action" in config.operators:
        windows = _of_windows(config, still_s, shown_s)
        if windows is None:
            return None
        spans.append(windows)
    return max(0.0, min(first for first, _ in spans)), max(last for _, last in spans)


def _of_maps(config: Config, operator: str, still_s: float, shown_s: float) -> tuple[float, float]:
    rate_hz = config.sampling_of(operator).rate_hz
    if rate_hz is None:  # nobody knows yet how far apart those frames lie
        return 0.0, shown_s
    return still_s - 2 / float(rate_hz), shown_s


def _of_windows(config: Config, still_s: float, shown_s: float) -> tuple[float, float] | None:
    rate_hz = config.sampling_of("action").rate_hz
    if rate_hz is None:
        return None
    try:
        frames, stride = _window(config)
    except UsageError:  # which is told when the operator is built
        return None
    length_s, step_s = frames / float(rate_hz), stride / float(rate_hz)
    before = max(0.0, (still_s - length_s - step_s) // step_s)
    return before * step_s - _SLACK_S, shown_s + length_s + step_s


def _window(config: Config) -> tuple[int, int]:
    """Frames and stride: the settings', else the head's, else the usual ones.

    Raises:
        UsageError: one of them is no number that the operator takes.
    """
    choice = head_choice("action", config.heads, config.weights)
    needs = HeadNeeds.of(chosen_header("action", choice) or {})
    settings = config.operators["action"].settings
    given = Settings("action", settings, tuple(settings))
    frames = given.whole("frames", needs.frames or FRAMES, low=1, high=MAX_FRAMES)
    usual = needs.stride or min(STRIDE, frames)
    return frames, given.whole("stride", usual, low=1, high=frames)
