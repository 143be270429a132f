import pickle
import random
from collections.abc import Callable

import pytest

from kenyon.errors import InputError
from kenyon.mushroom_body import Manipulation, cut, drive_current, scale, set_constant, silence
from kenyon.mushroom_body.circuit import CONNECTIONS, GROUPS
from kenyon.mushroom_body.manipulations import checked
from kenyon.mushroom_body.parameters import constants

SETTABLE = [name for name in constants() if name not in ("dt_ms", "refractory_ms", "kc_claws_min", "kc_claws_max")]


def any_manipulation(rng: random.Random) -> Manipulation:
    """Return one of any kind and value."""
    group, where = rng.choice(list(GROUPS.items()))
    cells = rng.choice([group, f"{group}[{rng.randrange(where.stop - where.start)}]"])
    connection = rng.choice(list(CONNECTIONS))
    source, _, target = connection.partition(">")
    if rng.random() < 0.5:
        connection = f"{source}[{rng.randrange(GROUPS[source].stop - GROUPS[source].start)}]>{target}"
    name = rng.choice(SETTABLE)
    constant = constants()[name]
    value = rng.uniform(max(constant.low, -1e9), min(constant.high, 1e9))
    return rng.choice(
        [
            silence(cells),
            drive_current(cells, rng.choice([rng.uniform(-1e4, 1e4), 1e-7 * rng.random(), -0.0, 20])),
            cut(connection),
            scale(connection, rng.choice([rng.uniform(0, 100), 1e-300, 0, 1])),
            set_constant(name, round(value) if constant.whole else value),
        ]
    )


def test_data_and_text_are_one() -> None:
    """Every manipulation is read from its text as it was, pickled as it was, and has no exponent in its text."""
    rng = random.Random(15)
    for _ in range(2000):
        own = any_manipulation(rng)
        assert Manipulation.parse(own.text) == own == pickle.loads(pickle.dumps(own))
        assert hash(Manipulation.parse(own.text)) == hash(own)
        assert "e-" not in own.text
        assert "e+" not in own.text


def test_a_cell_alone_in_its_group_has_one_name() -> None:
    """So that what is equal is equal."""
    assert silence("DANp[0]") == silence("DANp")
    assert cut("MBONn[0]>DANp") == cut("MBONn>DANp")
    assert silence("KC[07]") == silence("KC[7]") != silence("KC")


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: cut("MBONn>KC"), "unknown connection 'MBONn>KC'; there are ORN>PN, ORN>LN, PN>KC"),
        (lambda: cut("APL>KC[3]"), "unknown connection 'APL>KC.3.'; there are"),
        (lambda: cut("KC"), "unknown connection 'KC'; there are"),
        (lambda: silence("KCs"), "unknown cell group 'KCs'; did you mean 'KC'"),
        (lambda: silence("KC[128]"), "a cell of KC must be from 0 to 127, got 'KC.128.'"),
        (lambda: silence("KC[-1]"), "cells must be named as a group or one of it"),
        (lambda: drive_current("KC", 1e5), "current must be a finite number from -10000 to 10000 pA, got 100000.0"),
        (lambda: scale("APL>KC", -0.5), "factor must be a finite number from 0 to 100, got -0.5"),
        (lambda: set_constant("kc.treshold_mV", -34), "did you mean 'kc.threshold_mV'"),
        (lambda: set_constant("dt_ms", 0.2), "must not be one of dt_ms, refractory_ms, kc_claws_min"),
        (lambda: set_constant("kc.threshold_mV", 1000), "kc.threshold_mV must be a finite number from -150 to 50 mV"),
        (lambda: Manipulation("silence", "KC", 1.0), "must be None to silence, got 1.0"),
        (lambda: Manipulation.parse("silence"), "a manipulation must read as 'silence DANp'"),
        (lambda: Manipulation.parse(""), "unknown kind of manipulation ''; known are silence, drive"),
        (lambda: Manipulation.parse("drive KC 20"), "a decimal number with its unit, such as 20pA, got '20'"),
        (lambda: Manipulation.parse("scale APL>KC 1e-1"), "must be a decimal number, got '1e-1'"),
        (lambda: Manipulation.parse("set input_shape 2.5"), "input_shape must be an integer"),
        (lambda: checked([cut("KC[3]>APL"), cut("KC>APL")]), "got 'cut KC>APL' and 'cut KC.3.>APL' for KC.3.>APL"),
        (lambda: checked(["set homeostasis 0", "set homeostasis 0"]), "for homeostasis"),
    ],
)
def test_what_cannot_be_done_is_refused(make: Callable[[], object], words: str) -> None:
    """In one sentence that says what can."""
    with pytest.raises(InputError, match=words):
        make()


def test_several_are_one_value_however_they_are_listed() -> None:
    """Equal ones are equal; different kinds on one cell, and one kind on different cells, go together."""
    several = [silence("KC[7]"), silence("KC[8]"), drive_current("KC", 5), cut("KC>MBONp"), scale("KC>MBONp", 2)]
    assert checked(several) == checked(reversed(several)) == checked(tuple(own.text for own in several))
    assert checked(()) == ()
