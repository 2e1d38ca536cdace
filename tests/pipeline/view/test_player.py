"""Which moment the page shows next: its module alone, without a browser, with our own moments."""

import pytest

pytestmark = pytest.mark.slow

FRAMES = """
import { Player } from "./player.js";
const frames = given.map((time_us, at) => ({ time_us, position: String(at), session: "s" }));
const asked = [], shown = [], failed = [];
const at = ({ time_us, step = 0 }) => {
  asked.push([time_us, step]);
  const holds = frames.filter((frame) => frame.time_us <= time_us).length - 1;
  return frames[Math.min(frames.length - 1, Math.max(0, holds + step))];
};
let gate = Promise.resolve();
const player = new Player(
  async (query) => at(query),
  async (moment) => { await gate; shown.push(moment.position); },
  (error) => failed.push(error.message),
);
"""


def test_of_all_that_is_asked_while_one_is_drawn_the_newest_alone_is_done(javascript):
    script = """
      let open;
      gate = new Promise((resolve) => (open = resolve));
      const done = player.seek(0);
      for (const time_us of [1, 2, 3, 4]) player.seek(time_us);
      open();
      await done;
      said.push(...shown);
    """
    assert javascript(FRAMES + script, [0, 1, 2, 3, 4]) == ["0", "4"]


def test_what_looks_otherwise_while_a_moment_comes_is_drawn_once_more_when_it_has(javascript):
    script = """
      let open;
      gate = new Promise((resolve) => (open = resolve));
      const first = player.seek(0);
      player.again();
      open();
      await first;
      const second = player.seek(2);
      player.again();
      await second;
      said.push(...shown);
    """
    assert javascript(FRAMES + script, [0, 1, 2]) == ["0", "0", "2", "2"]


def test_what_looks_otherwise_while_it_is_played_is_played_on(javascript):
    script = """
      await player.seek(0);
      const ended = new Promise((resolve) =>
        player.addEventListener("mode", () => player.playing || resolve()));
      player.show = async () => await new Promise((resolve) => setTimeout(resolve, 20));
      player.ask = async (query) => {
        player.again();
        return at(query);
      };
      player.toggle();
      await ended;
      said.push(player.moment.position);
    """
    assert javascript(FRAMES + script, [0, 1, 2, 3, 4, 5]) == ["5"]


def test_nothing_is_drawn_once_more_where_nothing_was(javascript):
    script = """
      await player.again();
      said.push(...shown, ...failed);
    """
    assert javascript(FRAMES + script, [0]) == []


def test_steps_go_from_frame_to_frame_and_stay_at_the_ends(javascript):
    script = """
      await player.seek(25);
      for (const by of [1, 1, 1, -1, -1, -1, -1, -1]) await player.step(by);
      said.push(...shown);
    """
    assert javascript(FRAMES + script, [0, 10, 20, 30]) == [
        "2",
        "3",
        "3",
        "3",
        "2",
        "1",
        "0",
        "0",
        "0",
    ]


def test_playing_shows_each_frame_once_and_ends_at_the_last(javascript):
    script = """
      await player.seek(0);
      const ended = new Promise((resolve) =>
        player.addEventListener("mode", () => player.playing || resolve()));
      player.toggle();
      await ended;
      said.push(shown, player.playing);
    """
    assert javascript(FRAMES + script, [0, 1000, 2000, 9000]) == [["0", "1", "2", "3"], False]


def test_what_is_new_is_shown_to_whoever_follows_and_to_nobody_else(javascript):
    script = """
      await player.follow(10);
      player.fresh(20);
      await new Promise(setImmediate);
      said.push(player.following);
      await player.seek(0);
      player.fresh(30);
      await new Promise(setImmediate);
      said.push(player.following, shown);
    """
    assert javascript(FRAMES + script, [0, 10, 20, 30]) == [True, False, ["1", "2", "0"]]


def test_a_moment_that_cannot_be_had_is_told_and_the_next_one_is_shown(javascript):
    script = """
      player.ask = async () => { throw new Error("not there"); };
      await player.seek(0);
      player.ask = async (query) => at(query);
      await player.seek(10);
      said.push(failed, shown);
    """
    assert javascript(FRAMES + script, [0, 10]) == [["not there"], ["1"]]
