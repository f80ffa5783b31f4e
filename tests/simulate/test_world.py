"""Worlds: the same for the same arguments, well formed, and with staff who behave like staff."""

from datetime import date
from functools import cache

import numpy as np
import pyarrow.compute as pc
import pytest

from vigie.errors import UsageError
from vigie.events import ACTIONS, VOCABULARIES
from vigie.simulate import parameters, rhythm
from vigie.simulate.presets import PRESETS, simulate
from vigie.simulate.world import ACCESSES, ACCOUNTS, ORGANISATIONS, PATIENTS, REASONS, World

DAY, HOUR = 86_400_000_000, 3_600_000_000
SEED = 6


@cache
def world(preset: str, scale: float = 0.04, attacks: int = 1) -> World:
    return simulate(preset, scale, seed=5, days=35, attacks=attacks)


def column(made: World, name: str) -> np.ndarray:
    return made.accesses[name].to_numpy().astype(np.int64)


def local(made: World) -> np.ndarray:
    return column(made, "at") - made.start


@pytest.mark.parametrize("preset", PRESETS)
def test_tables_follow_their_schemas(preset: str) -> None:
    made = world(preset)
    for table, schema in (
        (made.organisations, ORGANISATIONS),
        (made.accounts, ACCOUNTS),
        (made.patients, PATIENTS),
        (made.accesses, ACCESSES),
    ):
        assert table.schema.equals(schema)
        table.validate(full=True)
    assert made.accesses.num_rows > 10_000


@pytest.mark.parametrize("preset", PRESETS)
def test_codes_point_into_their_tables(preset: str) -> None:
    made = world(preset)
    for name, length, lowest in (
        ("account", made.accounts.num_rows, 0),
        ("on_behalf_of", made.accounts.num_rows, -1),
        ("organisation", made.organisations.num_rows, 0),
        ("unit", len(made.units), -1),
        ("network", len(made.networks), 0),
        ("device", len(made.devices), -1),
        ("user_agent", len(made.user_agents), 0),
        ("auth_method", len(made.auth_methods), 0),
        ("action", len(ACTIONS), 0),
        ("object", len(made.objects), 0),
        ("query_shape", len(VOCABULARIES["query_shape"]), -1),
        ("patient", made.patients.num_rows, -1),
        ("purpose", len(made.purposes), -1),
        ("outcome", len(VOCABULARIES["outcome"]), 0),
        ("attack", len(made.attacks), -1),
        ("reason", len(REASONS), 0),
    ):
        values = column(made, name)
        assert lowest <= values.min(), name
        assert values.max() < length, name


@pytest.mark.parametrize("preset", PRESETS)
def test_accesses_are_sorted_and_inside_the_log(preset: str) -> None:
    made = world(preset)
    at = column(made, "at")
    assert (np.diff(at) >= 0).all()
    assert made.start - HOUR < at[0]
    assert at[-1] < made.start + (made.days + 1) * DAY


@pytest.mark.parametrize("preset", PRESETS)
@pytest.mark.parametrize("days", [1, 2, 3])
def test_a_short_log_is_a_log(preset: str, days: int) -> None:
    made = simulate(preset, 0.02, seed=3, days=days)
    assert made.days == days
    assert made.accesses.num_rows > 100
    assert (local(made) // DAY).max() in (days - 1, days)


def test_same_arguments_same_world() -> None:
    one = simulate("practice-software", 0.02, seed=3, days=10)
    two = simulate("practice-software", 0.02, seed=3, days=10)
    assert one.accesses.equals(two.accesses)
    assert one.attacks == two.attacks
    assert one.accounts.equals(two.accounts)


def test_another_seed_another_world() -> None:
    one = simulate("practice-software", 0.02, seed=3, days=10, attacks=0)
    two = simulate("practice-software", 0.02, seed=4, days=10, attacks=0)
    assert not one.accesses.equals(two.accesses)


def test_an_unknown_preset_is_refused_with_the_names() -> None:
    with pytest.raises(UsageError, match="hospital"):
        simulate("hopital")


@pytest.mark.parametrize("preset", PRESETS)
def test_rows_of_a_page_share_one_moment_and_one_count(preset: str) -> None:
    made = world(preset)
    rows = made.accesses.group_by("access").aggregate(
        [("at", "count_distinct"), ("account", "count_distinct"), ("record_count", "max"),
         ("at", "count")]
    )  # fmt: skip
    assert pc.max(rows["at_count_distinct"]).as_py() == 1
    assert pc.max(rows["account_count_distinct"]).as_py() == 1
    paged = rows.filter(pc.greater(rows["at_count"], 1))
    assert paged.num_rows > 100
    assert paged["at_count"].to_pylist() == paged["record_count_max"].to_pylist()
    assert pc.max(paged["at_count"]).as_py() <= 20


@pytest.mark.parametrize("preset", PRESETS)
def test_a_rights_check_names_somebody_or_fails(preset: str) -> None:
    made = world(preset)
    checks = made.accesses.filter(pc.equal(made.accesses["action"], ACTIONS.index("rights_check")))
    assert (checks.num_rows > 0) == (preset == "third-party-payment")
    assert made.patients["nir"].null_count == 0
    if checks.num_rows:
        nobody = checks.filter(pc.less(checks["patient"], 0))
        assert set(nobody["outcome"].to_pylist()) == {2}
        assert 0.01 < nobody.num_rows / checks.num_rows < 0.04


def test_secretaries_act_for_doctors_of_their_own_place() -> None:
    made = world("practice-software")
    account, behalf = column(made, "account"), column(made, "on_behalf_of")
    profession = np.array(made.accounts["profession"].to_pylist())
    place = made.accounts["organisation"].to_numpy()
    honest = column(made, "attack") < 0
    acted = (behalf >= 0) & honest
    assert set(profession[account[acted]]) == {"secretary"}
    assert set(profession[behalf[acted]]) <= {
        "general_practitioner",
        "specialist",
        "physiotherapist",
    }
    assert (place[account[acted]] == place[behalf[acted]]).all()
    desk = (profession[account] == "secretary") & honest
    assert acted.sum() > 0.5 * desk.sum()


def test_a_panel_is_mostly_known_patients() -> None:
    made = world("practice-software")
    doctor = np.array(made.accounts["profession"].to_pylist()) == "general_practitioner"
    account, patient = column(made, "account"), column(made, "patient")
    reason = column(made, "reason")
    rows = doctor[account] & (patient >= 0)
    assert np.isin(reason[rows], [REASONS.index("own"), REASONS.index("team")]).mean() > 0.6
    late = rows & (local(made) > 25 * DAY) & (reason == REASONS.index("own"))
    early = rows & (local(made) <= 25 * DAY)
    known = set(zip(account[early].tolist(), patient[early].tolist(), strict=True))
    seen = [
        pair in known for pair in zip(account[late].tolist(), patient[late].tolist(), strict=True)
    ]
    assert np.mean(seen) > 0.25


def test_weekends_are_quiet_outside_hospitals() -> None:
    made = world("practice-software")
    kind = np.array(made.accounts["kind"].to_pylist())[column(made, "account")]
    per_day = np.bincount((local(made) // DAY % 7)[kind == "person"], minlength=7)
    assert per_day[6] < 0.05 * per_day[0]
    assert per_day[5] < 0.6 * per_day[0]


def test_public_holidays_are_quiet() -> None:
    made = simulate("practice-software", 0.03, seed=2, days=40, attacks=0)
    per_day = np.bincount(local(made) // DAY, minlength=40)
    armistice = (date(2025, 11, 11) - date(2025, 10, 6)).days
    assert per_day[armistice] < 0.35 * per_day[armistice - 7]


def test_wards_work_at_night() -> None:
    made = world("hospital")
    profession = np.array(made.accounts["profession"].to_pylist())[column(made, "account")]
    hour = local(made) % DAY // HOUR
    night = (hour < 5) | (hour >= 22)
    assert night[profession == "ward_nurse"].mean() > 0.05
    assert night[profession == "secretary"].mean() < 0.03
    for name in ("ward_doctor", "laboratory_staff", "emergency_doctor"):
        worked = np.unique((local(made) // DAY)[profession == name])
        dark = np.unique((local(made) // DAY)[night & (profession == name)])
        assert len(dark) > 0.2 * len(worked), name


def test_a_fifth_of_emergency_doctors_shifts_are_nights() -> None:
    made = _hospital()
    profession = np.array(made.accounts["profession"].to_pylist())[column(made, "account")]
    hour = local(made) % DAY // HOUR
    theirs = profession == "emergency_doctor"
    assert 0.12 < ((hour < 5) | (hour >= 22))[theirs].mean() < 0.3


def test_laboratories_in_town_sleep() -> None:
    made = world("third-party-payment")
    profession = np.array(made.accounts["profession"].to_pylist())[column(made, "account")]
    hour = local(made) % DAY // HOUR
    assert ((hour < 5) | (hour >= 23))[profession == "laboratory_staff"].mean() < 0.01


@pytest.mark.parametrize("reason", [
    "replacement", "transfer", "on_call", "campaign", "outbreak", "administrative", "service",
    "new_patient", "stranger", "referral", "team",
])  # fmt: skip
def test_every_honest_reason_occurs(reason: str) -> None:
    made = _portal()
    assert (column(made, "reason") == REASONS.index(reason)).any()


@cache
def _portal() -> World:
    return simulate("regional-portal", 0.15, seed=SEED, days=30, attacks=0)


@cache
def _hospital() -> World:
    return simulate("hospital", 0.12, seed=6, days=30, attacks=0)


def test_a_replacement_works_at_the_host_for_a_week() -> None:
    made = _portal()
    moved = column(made, "reason") == REASONS.index("replacement")
    account, place = column(made, "account"), column(made, "organisation")
    home = made.accounts["organisation"].to_numpy()
    abroad = moved & (place != home[account])
    assert abroad.any()
    for who in np.unique(account[abroad]):
        days = np.unique(local(made)[abroad & (account == who)] // DAY)
        assert days[-1] - days[0] <= 7


def test_a_transfer_is_for_good() -> None:
    made = _portal()
    account, place = column(made, "account"), column(made, "organisation")
    home = made.accounts["organisation"].to_numpy()
    gone = (column(made, "reason") == REASONS.index("transfer")) & (place != home[account])
    assert gone.any()
    for who in np.unique(account[gone]):
        mine = account == who
        begun = local(made)[gone & mine].min() // DAY
        assert not (place[mine & (local(made) // DAY > begun)] == home[who]).any()


def test_people_are_hired_and_are_silent_before() -> None:
    made = _hospital()
    hired = made.accounts["hired_at"].to_numpy()
    late = np.flatnonzero(hired > made.start)
    assert 0 < len(late) < 0.1 * len(hired)
    first = np.full(len(hired), np.iinfo(np.int64).max)
    np.minimum.at(first, column(made, "account"), column(made, "at"))
    assert (first[late] >= hired[late] - HOUR).all()


def test_devices_change_and_sessions_keep_their_place() -> None:
    made = _hospital()
    rows = made.accesses.group_by("session").aggregate(
        [("network", "count_distinct"), ("device", "count_distinct"),
         ("account", "count_distinct"), ("user_agent", "count_distinct")]
    )  # fmt: skip
    for name in rows.column_names[1:]:
        assert pc.max(rows[name]).as_py() == 1, name
    assert any(device >= 2 * made.accounts.num_rows for device in column(made, "device")[:50_000])


def test_exports_and_broken_glass_are_rare_and_real() -> None:
    made = _hospital()
    action = column(made, "action")
    for name in ("export", "break_glass"):
        share = (action == ACTIONS.index(name)).mean()
        assert 0 < share < 0.01, name
    exports = action == ACTIONS.index("export")
    assert (column(made, "patient")[exports] == -1).all()
    assert (column(made, "record_count")[exports] >= 1).all()


@pytest.mark.parametrize("preset", PRESETS)
def test_where_exports_can_be_stolen_they_are_somebodys_task(preset: str) -> None:
    made = simulate(preset, 0.15, seed=6, days=30, attacks=0)
    exports = made.accesses.filter(pc.equal(made.accesses["action"], ACTIONS.index("export")))
    who, size = exports["account"].to_numpy(), exports["record_count"].to_numpy()
    assert parameters.preset(preset).families["export"]
    assert len(np.unique(who)) >= 5
    assert np.bincount(who).max() >= 3  # somebody does it again and again
    assert np.median(size) < 500
    assert size.max() > 500


def test_shared_and_service_accounts_are_at_work() -> None:
    made = _hospital()
    kind = np.array(made.accounts["kind"].to_pylist())
    assert set(kind) == {"person", "service", "shared"}
    busy = np.bincount(column(made, "account"), minlength=len(kind))
    assert busy[kind == "service"].mean() > 3 * busy[kind == "person"].mean()
    assert not any(made.accounts["professional"].filter(kind != "person").is_valid().to_pylist())


def test_campaigns_raise_a_whole_site() -> None:
    made = simulate("third-party-payment", 0.1, seed=1, days=30, attacks=0)
    day = local(made) // DAY
    place = column(made, "organisation")
    surge = column(made, "reason") == REASONS.index("campaign")
    ratios = []
    for site, when in {(int(s), int(d)) for s, d in zip(place[surge], day[surge], strict=True)}:
        here = np.bincount(day[place == site], minlength=30)
        same = here[when % 7 :: 7]
        ratios.append(here[when] / max(np.median(same[same > 0]), 1))
    assert np.median(ratios) > 1.4


def test_professions_have_their_own_tempo() -> None:
    made = _portal()
    profession = np.array(made.accounts["profession"].to_pylist())
    busy = np.bincount(column(made, "account"), minlength=len(profession))
    assert (
        busy[profession == "laboratory_staff"].mean() > 2 * busy[profession == "ward_nurse"].mean()
    )


def test_every_profession_says_where_its_figures_come_from() -> None:
    for name, profession in parameters.professions().items():
        assert profession.assumption or profession.sources, name
        assert abs(sum(profession.mix) - 1) < 0.011, name
        assert set(profession.sources) <= set(type(profession).__struct_fields__)
    assert parameters.oddities().assumption


def test_every_preset_names_only_what_exists() -> None:
    known = parameters.professions()
    for name in PRESETS:
        preset = parameters.preset(name)
        assert {staff.profession for staff in preset.staff} <= set(known)
        assert {staff.organisation for staff in preset.staff} <= set(preset.organisations)
        for habit in preset.habits.values():
            assert set(habit) <= set(preset.workflows)
        for flow in preset.workflows.values():
            assert {step.action for step in flow} <= set(ACTIONS)


def test_the_repeated_hour_of_autumn_is_worked_twice() -> None:
    calendar = rhythm.calendar("2025-10-06", 30)
    rng = np.random.default_rng(1)
    sunday = (date(2025, 10, 26) - date(2025, 10, 6)).days
    moments = sunday * DAY + (2 * HOUR) + rng.integers(0, HOUR, 2000)
    utc = calendar.utc(moments, rng)
    assert len(np.unique((utc - moments) // HOUR)) == 2
    noon = np.array([sunday * DAY + 12 * HOUR])
    before = np.array([(sunday - 1) * DAY + 12 * HOUR])
    assert (calendar.utc(noon, rng) - calendar.utc(before, rng) == 25 * HOUR).all()
