"""Each panel alone: on axes of one's own, with the numbers of the result, and refused where it would say nothing."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from matplotlib.figure import Figure

from kenyon.conditioning import Design, Results, figures
from kenyon.conditioning.figures import PANELS, compose
from kenyon.conditioning.figures.doses import dose_series
from kenyon.conditioning.figures.over_time import timelines_of
from kenyon.conditioning.timeline import timelines
from kenyon.errors import InputError, MismatchError
from kenyon.mushroom_body import Activity, Population, Record
from tests.conditioning.drawn import error_bars, mean_lines, xs, ys
from tests.conditioning.runs import of

RICH = (
    "{group}: ?A 20ms, ?A@0.1 20ms, ?A+ 20ms, ?[reward 1] 20ms, A{sign} 50ms, 30ms, "
    "?A 20ms, ?A@0.1 20ms, ?A+ 20ms, ?[reward 1] 20ms"
)


@pytest.fixture(scope="module")
def rich() -> Results:
    """Return two groups that hold what every panel draws."""
    text = "; ".join(RICH.format(group=group, sign=sign) for group, sign in (("trained", "+"), ("control", "")))
    return of(text, larvae=3, weights=True, per_second=True, recordings=Record(spikes=True))


def spiking() -> Activity:
    """Return a tenth of a second of two larvae, with spikes."""
    larvae = Population(seeds=[1, 2])
    larvae.stimulate("anisole", reward=1.0)
    return larvae.advance(100, record=Record(spikes=True))


@pytest.mark.parametrize("name", PANELS)
def test_a_panel_is_drawn_on_axes_of_one_s_own(name: str, rich: Results) -> None:
    """On those alone; without axes on a figure of its own, whose caption says unit and number."""
    panel = PANELS[name]
    given = rich["trained"] if panel.of_one else rich
    mine, other = Figure().subplots(1, 2)
    assert panel.draw(given, ax=mine) is mine
    assert mine.has_data()
    assert not other.has_data()
    alone = panel.draw(given).figure.get_supxlabel().replace("\n", " ")
    assert ("n = 3 larvae" in alone and "the unit is the larva" in alone) == bool(panel.marks)
    assert "Seed 0." in alone
    with pytest.raises(InputError, match="ax must be a Axes"):
        panel.draw(given, ax=3)


def test_a_panel_of_one_result_refuses_several(rich: Results) -> None:
    """For it would have to leave some out."""
    for name, panel in PANELS.items():
        if panel.of_one:
            with pytest.raises(InputError, match="of one result, got 2"):
                panel.draw(rich)
        else:
            assert panel.draw(rich["control"]).has_data(), name


def test_panels_are_composed_in_order(rich: Results) -> None:
    """Those of one group for each of them; unknown ones are refused."""
    figure = compose(rich, ["groups", "timeline", "rates"])
    titles = [axes.get_title(loc="left").partition("\n")[2] for axes in figure.axes]
    assert titles == ["", "", "(trained, n = 3)", "(control, n = 3)"]
    with pytest.raises(InputError, match="unknown panel"):
        compose(rich, ["nonsense"])
    with pytest.raises(InputError, match="panels must be at least one"):
        compose(rich, [])


def test_what_is_not_there_is_refused() -> None:
    """Weights that were not kept, reinforcement that was not tested, doses of which there is one, spikes."""
    poor = of("A+ 20ms, ?A 10ms")
    refusals: dict[str, Callable[[Any], Any]] = {
        "run with weights=True": figures.weights,
        "test with": figures.prediction_error,
        "differ in one dose": figures.dose_response,
    }
    for words, panel in refusals.items():
        with pytest.raises(MismatchError, match=words):
            panel(poor)
    with pytest.raises(InputError, match="spikes must be recorded"):
        figures.raster(Population(seeds=[1]).advance(1))
    with pytest.raises(InputError, match="unknown neurons"):
        figures.rates(poor, neurons=["nonsense"])


def test_means_are_those_of_the_summary(rich: Results) -> None:
    """Of learning curves, groups, doses and the map, which a table says by another way."""
    last = {(row["group"], row["test_odor"]): row["preference_index"] for row in rich.summary()}
    expected = sorted(last.values())
    squares = [line for line in figures.groups(rich).lines if line.get_marker() == "s"]
    assert sorted(xs(line)[0] for line in squares) == pytest.approx(expected)
    shown = figures.odor_map(rich).images[0].get_array()
    assert shown is not None
    assert sorted(shown.ravel()) == pytest.approx(expected)
    trained = figures.learning_curves(rich["trained"])
    ends = sorted(ys(line)[-1] for line in mean_lines(trained))
    assert ends == pytest.approx(sorted(value for (group, _), value in last.items() if group == "trained"))
    for series, group in zip(dose_series(list(rich.values())), rich, strict=True):
        doses = [value for (name, odor), value in last.items() if name == group and "reward" not in odor]
        assert sorted(series.values.mean(axis=0)) == pytest.approx(sorted(doses))


def test_groups_that_differ_in_one_dose_are_a_series() -> None:
    """Of concentration or strength; not if anything else differs, too."""
    doses = {"0.3": 0.3, "0.01": 0.01, "1": 1.0}
    results = of("; ".join(f"g{n}: A@{dose}+ 20ms, 10ms | ?A" for n, dose in enumerate(doses)))
    [series] = dose_series(list(results.values()))
    assert series.what == "concentration of pentyl acetate in the phases"
    assert series.doses.tolist() == sorted(doses.values())
    rows = {row["group"]: row["preference_index"] for row in results.summary()}
    assert series.values.mean(axis=0) == pytest.approx([rows["g1"], rows["g0"], rows["g2"]])
    [strengths] = dose_series(list(of("a: A[reward 1] 20ms, ?A; b: A[reward 0.5] 20ms, ?A").values()))
    assert strengths.what == "strength of reward in the phases"
    for second in ("A@0.1+ 30ms", "A@0.1[punishment 1] 20ms", "{silence DANp: A@0.1+ 20ms}", "A@0.1[reward 2] 20ms"):
        assert dose_series(list(of(f"a: A+ 20ms, ?A; b: {second}, ?A").values())) == []


def test_lanes_of_a_result_are_those_of_its_design() -> None:
    """Which are made by another way, from the design and not from what the result says of its phases."""
    text = "one: 2x(A+ 20ms, 10ms), {silence DANp: [punishment 0.5] 30ms}, ?A 10ms; two: 10ms, A@0.1 20ms, ?A 10ms"
    for own, written in zip(timelines_of(list(of(text).values())), timelines(Design.read(text)), strict=True):
        assert own.duration_s == pytest.approx(written.duration_s)
        spans = [[np.ravel(lane.spans_s) for lane in timeline.lanes] for timeline in (own, written)]
        for mine, theirs in zip(*spans, strict=True):
            assert mine == pytest.approx(theirs)


def test_a_choice_is_drawn_as_two_odors_in_turn() -> None:
    """Each for as long as the other."""
    [timeline] = timelines_of([of("B = anisole: live A/B 20s", larvae=1).one])
    assert [(lane.label, lane.spans_s) for lane in timeline.lanes] == [
        ("pentyl acetate", ((0.0, 10.0),)), ("anisole", ((10.0, 20.0),)), ("test (lived)", ((0.0, 0.0),)),
    ]  # fmt: skip


def test_rates_are_those_of_the_result(rich: Results) -> None:
    """At their times: of each phase, and of each second where they were kept."""
    result = rich["trained"]
    for given, name in ((result, "rate_hz"), (result.drop_vars("rate_hz"), "phase_rate_hz")):
        axes = figures.rates(given, neurons=["KC", "DANp"])
        for line, group in zip(axes.lines, ("KC", "DANp"), strict=True):
            assert ys(line)[::2] == pytest.approx(result[name].sel(group=group).mean("larva").values)
        assert xs(axes.lines[0]).tolist() == pytest.approx([0.0, 0.05, 0.05, 0.08])


def test_orders_that_differ_are_said() -> None:
    """A timeline is then that of the first larva alone, and rates are in the order in which phases are written."""
    result = of("B = anisole: shuffle(A+ 20ms, B 20ms), ?A 10ms", larvae=6).one
    assert "order of the first larva" in timelines_of([result])[0].group
    assert "as they are written" in figures.rates(result).get_xlabel()
    alone = result.isel(larva=[0])
    assert timelines_of([alone])[0].group == "larvae"
    assert figures.rates(alone).get_xlabel() == "time (s)"


def test_prediction_error_is_of_the_right_neuron(rich: Results) -> None:
    """DANp for reward: under cue and reward, reward alone, and the cue alone."""
    result = rich["trained"]
    axes = figures.prediction_error(result)
    assert axes.get_ylabel() == "rate of DANp (Hz)"
    rates = result.test_rate_hz.sel(group="DANp").mean("larva")
    assert [str(container.get_label()).partition(": ")[2] for container in error_bars(axes)] == [
        "reward omitted (pentyl acetate)", "cue and reward (pentyl acetate, reward 1)", "reward alone (reward 1)",
    ]  # fmt: skip
    for container in error_bars(axes):
        odor = str(container.get_label()).partition("(")[2].removesuffix(")")
        assert ys(container.lines[0]) == pytest.approx(rates.sel(test_odor=odor).values)


def test_a_raster_has_every_spike() -> None:
    """Of the one larva, group by group."""
    activity = spiking()
    axes = figures.raster(activity, larva=1)
    drawn = [len(xs(line)) for line in axes.lines if line.get_marker() == "|"]
    assert drawn == [activity.spikes_of(group.get_text().partition(" ")[0])[1] for group in axes.get_yticklabels()]
    assert sum(drawn) > 100


def test_a_raster_of_a_phase_has_the_spikes_that_its_rates_count(rich: Results) -> None:
    """In every group, of the larva and the phase that were asked for; not of larvae of which nothing was recorded."""
    result = rich["trained"]
    axes = figures.phase_raster(result, phase=1, larva=2)
    drawn = [len(xs(line)) for line in axes.lines if line.get_marker() == "|"]
    cells = [int(text.get_text().partition("(")[2].rstrip(")")) for text in axes.get_yticklabels()]
    assert "(trained, phase 1: nothing given)" in axes.get_title(loc="left")
    assert "phase 0: pentyl acetate, reward)" in figures.phase_raster(result).get_title(loc="left")
    counts = result.phase_rate_hz.isel(larva=2, phase=1).values * cells * 0.03
    assert drawn == pytest.approx(counts)
    assert xs(figures.phase_raster(result.isel(larva=[2]), phase=1).lines[0]).size == drawn[0]
    with pytest.raises(MismatchError, match="another number of spikes"):
        figures.phase_raster(result.isel(phase=[1]))
    with pytest.raises(MismatchError, match="recorded spikes"):
        figures.phase_raster(of("10ms, ?A 10ms"))


def test_no_two_lines_differ_by_color_alone(rich: Results) -> None:
    """So that a picture without colors still tells them apart: by dashes, or by markers."""
    for axes in (figures.learning_curves(rich), figures.outputs(rich["trained"]), figures.dose_response(rich)):
        lines = mean_lines(axes)
        assert len({(line.get_linestyle(), str(line.get_marker())) for line in lines}) == len(lines) > 1
    rates = figures.rates(rich["trained"]).lines
    assert len({line.get_linestyle() for line in rates}) == len(rates) == 4
