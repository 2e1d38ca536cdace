"""What the page says of streams, scales and events, in words and numbers."""

import pytest

pytestmark = pytest.mark.slow

SECOND_US = 1_000_000
NOW_US = 1_795_953_600 * SECOND_US


def state(**said):
    nothing = {"reason": "", "since_us": None, "fps": None, "latency_s": None, "share": None}
    seen = {"drops": 0, "deadletters": 0, "last_us": None, "seen_us": None, "live": True}
    return {"stream": "gate", "state": "live", **nothing, **seen, **said}


def test_a_stream_fares_in_words(javascript):
    states = [
        state(fps=5.0, latency_s=0.31, since_us=NOW_US - 90 * SECOND_US, seen_us=NOW_US),
        state(state="stalled", reason="no packet", fps=0.0, seen_us=NOW_US - 12 * SECOND_US),
        state(state="connecting"),
        state(live=False, share=0.5, drops=3, deadletters=1, latency_s=2.5),
    ]
    script = """
      import { figures, lasted, lastSeen, losses, spoken, troubled } from "./state.js";
      for (const one of given.states) {
        const now = given.now_us;
        const words = [figures(one), losses(one), lasted(one, now), lastSeen(one, now)];
        said.push([spoken(one), ...words, troubled(one)]);
      }
    """
    assert javascript(script, {"states": states, "now_us": NOW_US}) == [
        [
            "gate, live, 5.0 frames per second",
            *("5.0 fps · 310 ms late", "", "2 min", "now", False),
        ],
        [
            "gate, stalled, no packet, 0.0 frames per second",
            *("", "", "", "12 s ago", True),
        ],
        ["gate, connecting", "", "", "", "nothing yet", False],
        ["gate, live", "2.5 s late · 50% done", "3 dropped · 1 failed", "", "nothing yet", False],
    ]


def test_how_long_and_how_far_off_are_said_in_their_own_units(javascript):
    script = """
      import { offset, span } from "./time.js";
      said.push(given.map(span), given.map((by) => offset(-by)));
    """
    spans, offsets = javascript(script, [0, 40_000, 400_000, 59 * SECOND_US, 7200 * SECOND_US])
    assert spans == ["0 s", "0 s", "0 s", "59 s", "2 h"]
    assert offsets == ["+0.000 s", "−0.040 s", "−0.40 s", "−59.0 s", "−7200.0 s"]  # noqa: RUF001


def test_a_scale_has_a_few_round_numbers_within_its_ends(javascript):
    script = """
      import { marks } from "./legend.js";
      for (const [low, high] of given) said.push(marks(low, high));
    """
    found = javascript(script, [[2.1, 37.0], [0.0, 10.0], [1.44, 5.34], [100, 900]])
    assert found == [[10, 20, 30], [0, 2, 4, 6, 8, 10], [2, 3, 4, 5], [200, 400, 600, 800]]


def test_windows_are_no_events_where_episodes_tell_the_same(javascript):
    item = {"from_us": 0, "to_us": 1, "label": "fall", "id": "1", "topic": "action", "count": 1}
    lanes = [{"name": name, "items": [item]} for name in ("action", "episodes", "events")]
    script = """
      import { happened } from "./events.js";
      for (const lanes of given) said.push(happened(lanes).map(({ lane }) => lane));
    """
    empty = {"name": "episodes", "items": []}
    assert javascript(script, [lanes, [lanes[0], empty, lanes[2]]]) == [
        ["episodes", "events"],
        ["action", "events"],
    ]


def test_the_page_knows_of_all_streams_what_it_was_told_last(javascript):
    script = """
      import { Board } from "./board.js";
      const board = new Board();
      let changes = 0;
      board.addEventListener("change", () => changes++);
      for (const [message, all] of given) {
        board.hear(message, all);
        said.push([board.names, board.counts, board.down, board.sink_state, board.sink_since_us]);
      }
      said.push(changes > 0, Math.abs(board.now_us - given.at(-1)[0].now_us) < 60e6);
    """
    told = {"now_us": NOW_US, "sink_state": "there"}
    first = [state(stream=name) for name in ("gate-10", "gate-2")]
    second = [state(stream="gate-2", state="silent"), state(stream="yard", state="ended")]
    away = {**told, "now_us": NOW_US + 5, "sink_state": "away", "streams": []}
    found = javascript(
        script,
        [
            [{**told, "streams": first}, True],
            [{**told, "streams": second, "gone": ["gate-10"]}, False],
            [away, False],
        ],
    )
    live, silent, ended = ({"name": one, "count": 1} for one in ("live", "silent", "ended"))
    assert found == [
        [["gate-2", "gate-10"], [{**live, "count": 2}], 0, "there", 0],
        [["gate-2", "yard"], [silent, ended], 1, "there", 0],
        [["gate-2", "yard"], [silent, ended], 1, "away", NOW_US + 5],
        *(True, True),
    ]
