import re
from pathlib import Path

import numpy as np
import pytest

from kenyon.errors import InputError
from kenyon.mushroom_body.circuit import CONNECTIONS, GROUPS
from kenyon.mushroom_body.diagram import draw_circuit
from kenyon.mushroom_body.manipulations import KINDS, Manipulation
from kenyon.mushroom_body.parameters import BALANCED, constants
from kenyon.mushroom_body.wiring import draw_pn_to_kc

PAGE = (Path(__file__).parents[2] / "docs" / "explanation" / "circuit.md").read_text("utf-8")


def test_every_cell_and_connection_is_drawn() -> None:
    """142 dots; a line for each connection of the groups of many cells, those from PNs as the larva is wired."""
    axes = draw_circuit(7).axes[0]
    *bundles, dots = axes.collections
    assert len(np.unique(np.asarray(dots.get_offsets()), axis=0)) == 142
    lines = sorted(len(bundle.get_paths()) for bundle in bundles)
    assert lines == sorted([21, 21, 21, 21 * 21, int(draw_pn_to_kc(BALANCED, 7).sum()), 72, 72, 72])
    assert {text.get_text().split(" ")[-1] for text in axes.texts} >= GROUPS.keys()
    with pytest.raises(InputError, match="seed"):
        draw_circuit(-1)


def test_the_page_names_every_group_connection_and_constant() -> None:
    """What is explained there is what there is, and manipulations are spelled there as they are read."""
    words = set(re.findall(r"`([^`\n]+)`", PAGE))
    assert words >= GROUPS.keys() | CONNECTIONS.keys()
    assert words >= vars(BALANCED.kc).keys()
    assert {name for name in constants() if "." not in name} - words == {"kc_claws_min", "kc_claws_max"}
    spelled = [word for word in words if word.split()[0] in KINDS and len(word.split()) > 1]
    assert {Manipulation.parse(text).kind for text in spelled} == set(KINDS)
    assert len(re.findall(r"\n\| ", PAGE.partition("## Twenty words")[2])) == 21


def test_the_examples_of_the_page(capsys: pytest.CaptureFixture[str]) -> None:
    """They learn to approach although MBONn heard nothing of the odor; without MBONp they would avoid it."""
    manipulated, recorded = re.findall(r"```python\n(.*?)```", PAGE, flags=re.DOTALL)
    exec(compile(manipulated, "docs/explanation/circuit.md", "exec"), {})
    approach, avoid = (line.strip("[]").split() for line in capsys.readouterr().out.strip().splitlines())
    assert min(map(float, approach)) > 0
    assert set(map(float, avoid)) == {-1.0}
    exec(compile(recorded, "docs/explanation/circuit.md", "exec"), {})
    assert "eligibility" in capsys.readouterr().out
