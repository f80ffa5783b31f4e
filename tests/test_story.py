import pytest
from msgspec import structs
from tests.test_alerts import with_theft

from vigie.detection import detect
from vigie.language import speaking
from vigie.story import explain_level, tell


@pytest.fixture(scope="module")
def found():
    return detect(with_theft(patients=300, seconds=200))


def test_a_level_that_the_evidence_told_cannot_reach_is_explained(found):
    [alert] = found.alerts
    assert (alert.hypothesis, alert.level, len(alert.thresholds)) == ("fast_sweep", "suspend", 1)
    story = tell(found, alert)
    assert story.graver.hypothesis == "register_sweep"
    assert story.graver.evidence >= story.graver.threshold > alert.thresholds[0]
    with speaking("fr"):
        assert "(personnes inconnues ici)" in explain_level(alert, story)


def test_evidence_that_may_only_watch_says_so_however_strong_it_is():
    found = detect(with_theft(patients=200, seconds=5))
    [alert] = found.alerts
    assert (alert.level, alert.hypothesis) == ("watch", "fast_sweep")
    assert alert.evidence > 3 * alert.thresholds[0]
    assert "raises no more than watch" in explain_level(alert, tell(found, alert))


def test_a_level_of_the_evidence_told_needs_no_other_word(found):
    [alert] = found.alerts
    own = structs.replace(alert, hypothesis="register_sweep", thresholds=[5.0, 6.0, 7.0])
    assert explain_level(own, tell(found, own)) == ""
