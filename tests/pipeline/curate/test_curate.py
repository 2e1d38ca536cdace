"""What a user shows is looked at in pieces, and is the same as in one."""

import numpy as np

from pipeline.curate.curate import shown
from pipeline.curate.harvester import TOGETHER


def test_pictures_are_looked_at_a_few_at_a_time(small_picture, tmp_path):
    count, sizes = 2 * TOGETHER + 3, []
    paths = [small_picture(tmp_path / f"{n:02d}.png", "bars", number=n) for n in range(count)]

    def look(pictures):
        sizes.append(len(pictures))
        return np.array([picture[:1, :8].mean(axis=2)[0] for picture in pictures], np.float32)

    found = shown(paths, look)
    assert sizes == [TOGETHER, TOGETHER, 3]
    assert found is not None
    assert found.names == tuple(path.name for path in paths)
    assert shown(paths[-1:], look).units.tobytes() == found.units[-1:].tobytes()
    assert shown((), look) is None
