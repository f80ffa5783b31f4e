import pytest
from tests.test_alerts import with_theft

from vigie.detection import detect
from vigie.language import speaking
from vigie.story import explain_level, tell


@pytest.fixture(scope="module")
def found():
    return detect(with_theft(patients=200, seconds=200))


def test_a_level_that_the_evidence_told_cannot_reach_is_explained(found):
    [alert] = found.alerts
    assert (alert.hypothesis, alert.level, len(alert.thresholds)) == ("fast_sweep", "suspend", 1)
    story = tell(found, alert)
    assert story.graver.hypothesis == "register_sweep"
    assert story.graver.evidence >= story.graver.threshold > alert.thresholds[0]
    with speaking("fr"):
        assert "(personnes inconnues ici)" in explain_level(story)


def test_a_level_of_the_evidence_told_needs_no_other_word():
    found = detect(with_theft())
    [alert] = found.alerts
    assert alert.level == "watch"
    assert explain_level(tell(found, alert)) == ""
