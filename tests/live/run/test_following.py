"""`dinostream run` follows a folder into which a recorder puts one file after the other."""

import signal
import threading
from fractions import Fraction

import av
import numpy as np
import pytest

FPS, FRAMES, FILES = 25, 40, 3


class Recorder:
    """Writes transport streams as a camera's pictures come."""

    def __init__(self, folder):
        folder.mkdir()
        self.folder = folder
        self.written = 0  # pictures
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def _run(self):
        noise = np.random.default_rng(1).integers(0, 256, (96, 96, 3), np.uint8)
        for number in range(FILES):
            path = self.folder / f"gate-{number + 9}.ts"
            with av.open(str(path), "w", options={"flush_packets": "1"}) as container:
                stream = container.add_stream(
                    "libx264", FPS, width=96, height=96, pix_fmt="yuv420p",
                    options={"preset": "ultrafast", "g": "10"},
                )  # fmt: skip
                for shift in range(FRAMES):
                    if self._over.wait(1 / FPS):
                        return
                    frame = av.VideoFrame.from_ndarray(np.roll(noise, shift, axis=1), "rgb24")
                    frame.pts, frame.time_base = shift, Fraction(1, FPS)
                    container.mux(stream.encode(frame))
                    self.written += 1
                container.mux(stream.encode(None))

    def close(self):
        self._over.set()
        self._thread.join()


@pytest.fixture
def recorder(tmp_path):
    one = Recorder(tmp_path / "nvr")
    yield one
    one.close()


def test_a_followed_folder_goes_on_after_a_kill_without_a_loss_or_a_double(recorder, live_run):
    """Killed in the middle of a file that is being written, and started again later."""
    gate = {"url": str(recorder.folder), "follow": True}
    config = {
        "streams": {"gate": gate},
        "operators": {"embedding": {}},
        "sampling": {"all": True},
        "stall_s": 4.0,
    }
    first = live_run(config)
    first.until(lambda: first.count("embedding", "gate") > FRAMES + 10)
    first.signal(signal.SIGKILL)
    first.until(lambda: not first.processes())
    before = first.count("embedding", "gate")
    assert before < FILES * FRAMES

    run = live_run(config)
    run.until(lambda: run.count("embedding", "gate") == FILES * FRAMES)
    run.signal(signal.SIGTERM)
    assert run.exit_code() == 0, run.stderr
    frames = [attributes for attributes, _ in run.records("embedding", "gate")]
    assert len({attributes["ce_id"] for attributes in frames}) == FILES * FRAMES
    sessions = [attributes["ce_session"] for attributes in frames]
    assert [sessions.count(one) for one in dict.fromkeys(sessions)] == [FRAMES] * FILES
    assert run.told("gate") == ["started"]
    assert len(run.events("gate")) == FILES
