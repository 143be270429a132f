"""What there is around larvae, as the host itself has it."""

import json

from larvaworld.lib import reg

from kenyon.larvaworld_plugin import run
from kenyon.larvaworld_plugin.arena import FOOD_EVERYWHERE, SourceLog, arena_of, sources_of
from kenyon.larvaworld_plugin.events import Event, TickLived


def test_a_result_says_where_odors_were_and_from_when_to_when() -> None:
    """PItrain_mini, in a dish of 10 cm: odors are switched on and off, and food comes and goes everywhere."""
    outcome = run("PItrain_mini", larvae=1, minutes=0.4, show_progress=False)
    result = outcome.dataset
    assert result.arena_shape.item() == "circular"
    assert result.arena_width_m.item() == result.arena_height_m.item() == 0.1
    spans = json.loads(result.sources.item())
    stored = reg.conf.Exp.getID("PItrain_mini").env_params.food_params.source_units
    odors = {span["id"]: span for span in spans if span["kind"] == "odor"}
    assert {name: (span["x"], span["y"]) for name, span in odors.items()} == {
        name: tuple(unit.pos) for name, unit in stored.items()
    }
    assert {span["stimulus"] for span in odors.values()} == {"CS", "UCS"}
    for food in (span for span in spans if span["kind"] == "food"):
        assert food["id"] == FOOD_EVERYWHERE
        until_s = food["until_s"] or result.time.values[-1]
        there = (result.time > food["from_s"] + 1) & (result.time < until_s)
        assert result.on_food[:, there].mean() > 0.5
    assert len([span for span in spans if span["kind"] == "food"]) > 1


def test_food_has_a_place_and_is_gone_when_it_is_eaten() -> None:
    """MB_patch_grid: one that is eaten is food no more, but smells on; one that moves begins anew."""
    finished = run("MB_patch_grid", model="max_forager_MB", larvae=1, minutes=0.02, show_progress=False).host
    patches = sources_of(finished)
    assert arena_of(finished).shape in ("circular", "rectangular")
    assert len(patches) == len(finished.sources) > 1
    assert {(patch.kind, patch.stimulus) for patch in patches} == {("food", "Odor")}
    log = SourceLog()
    log.look(finished, 0.0)
    first, second = finished.sources[0], finished.sources[1]
    place, (x, y) = first.get_position(), second.get_position()
    smelled = finished.odor_layers["Odor"].get_value(place)
    finished.delete_source(first)
    second.set_position((x + 0.01, y))
    log.look(finished, 1.0)
    assert first.odor.gaussian_value((0.0, 0.0)) <= finished.odor_layers["Odor"].get_value(place) <= smelled
    ended = {span["id"]: span for span in log.spans if span["until_s"] == 1.0}
    assert set(ended) == {str(first.unique_id), str(second.unique_id)}
    begun = {span["id"]: (span["kind"], span["stimulus"], span["x"]) for span in log.spans if span["from_s"] == 1.0}
    assert begun == {
        str(first.unique_id): ("odor", "Odor", place[0]),
        str(second.unique_id): ("food", "Odor", x + 0.01),
    }


def test_an_odor_that_larvae_have_eaten_is_still_on_its_side() -> None:
    """PItest_off: sources without food, which the host forgets where a larva feeds; they smell all the same."""
    tested = run("PItest_off", larvae=1, minutes=0.02, show_progress=False, listeners=[_eats])
    assert {source.odor.id for source in tested.host.sources} == {"UCS"}
    assert set(tested.host.odor_layers) == {"CS", "UCS"}
    sides = zip(tested.dataset.stimulus.values, tested.dataset.stimulus_side.values, strict=True)
    assert dict(sides) == {"CS": "left", "UCS": "right"}


def _eats(event: Event) -> None:
    """Do what the host does when a larva feeds at CS."""
    if isinstance(event, TickLived) and event.tick == 1:
        (source,) = (each for each in event.run.sources if each.odor.id == "CS")
        source.subtract_amount(1.0)
