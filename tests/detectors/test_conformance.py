import pytest

from vigie.detectors import DETECTORS
from vigie.testing.detectors import CHECKS


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
@pytest.mark.parametrize("name", DETECTORS)
def test_every_detector_keeps_its_word(name, check):
    check(DETECTORS[name])
