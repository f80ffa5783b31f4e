import numpy as np

from vigie.kernels import compiled, is_kept
from vigie.timeline.sorting import order_of_codes


@compiled
def never_called(count: int) -> int:
    return count


def test_what_was_compiled_lies_on_disk_and_what_never_was_does_not():
    order_of_codes(np.array([1, 0], np.int32), 2)
    assert is_kept(order_of_codes)
    assert not is_kept(never_called)
