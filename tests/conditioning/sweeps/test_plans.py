"""Plans: the page about them, and what is refused in them."""

import re
from pathlib import Path

import pytest

from kenyon.conditioning.sweeps import Sweep
from kenyon.errors import InputError

PAGE = (Path(__file__).parents[3] / "docs/reference/sweep_plans.md").read_text("utf-8")
SIZES = [120, 3, 500]


def test_the_plans_of_the_page_are_plans(tmp_path: Path) -> None:
    """Each has the number of points that the page promises."""
    plans = re.findall(r"```toml\n(.*?)```", PAGE, flags=re.DOTALL)
    sizes = []
    for plan in plans:
        (tmp_path / "plan.toml").write_text(plan)
        sizes.append(len(Sweep.load(tmp_path / "plan.toml")))
    assert sizes == SIZES


def test_what_a_plan_fixes_is_fixed(tmp_path: Path) -> None:
    """Letters, reinforcer, odors of one's own and constants are those of a call in Python."""
    (tmp_path / "odors.csv").write_text(",".join(["0.5"] * 21))
    plan = tmp_path / "plan.toml"
    plan.write_text(
        """
        design = 'B$what 1s, "odors" 1s, ?B'
        what = "+"
        odors_file = "odors.csv"
        bindings = { B = "anisole" }
        reinforcer = ["punishment", 0.5]
        "kc.threshold_mV" = -36
        """
    )
    [point] = Sweep.load(plan)
    assert point.design.reinforcer == ("punishment", 0.5)
    assert list(point.design.own_odors) == ["odors"]
    assert point.parameters.kc.threshold_mV == -36.0
    assert dict(point.varied) == {}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("design", "must be TOML"),
        ('design = "A+ 1s"\n[grd]\nseed = [1]', r"\[grid\]"),
        ('design = "A+ 1s"\n[grid]\nseed = [1]\n[zip]\nseed = [1]', "one way"),
        ('design = "A+ 1s"\nseed = [1, 2]', "what varies stands in"),
        ('design = "A+ 1s"\nseed = 1\n[grid]\nseed = [1]', "both"),
        ('design = "A+ 1s"\n[random]\nseed = [1]', "how many points"),
        ('design = "A+ 1s"\n[grid]\nkc.threshold_mV = [-36]', "quotes"),
        ('design = "A+ 1s"\n[grid]\nseed = { from = 5, to = 1 }', "seed to"),
        ('design = "A+ 1s"\n[grid]\nseed = [[1]]', "numbers or texts"),
        ('design = "A+ 1s"\n[grid]\nseed = [1979-05-27]', "numbers or texts"),
        ('design = "A+ 1s"\nlearning_rate = 1', "learning_rate_nS"),
        ("[grid]\nseed = [1]", "must have a design"),
    ],
)  # fmt: skip
def test_what_is_no_plan_is_refused(text: str, words: str, tmp_path: Path) -> None:
    """One sentence says what is wrong with the file."""
    (tmp_path / "plan.toml").write_text(text)
    with pytest.raises(InputError, match=words):
        Sweep.load(tmp_path / "plan.toml")
