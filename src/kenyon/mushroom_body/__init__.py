"""The larval mushroom body: a spiking circuit that learns which odor comes with reward or punishment."""

from kenyon.mushroom_body.activity import Activity, Record, preference_index
from kenyon.mushroom_body.brian_larva import brian_network
from kenyon.mushroom_body.inputs import drive
from kenyon.mushroom_body.manipulations import Manipulation, cut, drive_current, scale, set_constant, silence
from kenyon.mushroom_body.odors import Odor, read_odors
from kenyon.mushroom_body.parameters import BALANCED, DEFAULT, LARVAL, PUBLISHED, Parameters, named
from kenyon.mushroom_body.population import Population
from kenyon.mushroom_body.snapshot import Snapshot
from kenyon.mushroom_body.wiring_file import read_pn_to_kc

__all__ = [
    "BALANCED",
    "DEFAULT",
    "LARVAL",
    "PUBLISHED",
    "Activity",
    "Manipulation",
    "Odor",
    "Parameters",
    "Population",
    "Record",
    "Snapshot",
    "brian_network",
    "cut",
    "drive",
    "drive_current",
    "named",
    "preference_index",
    "read_odors",
    "read_pn_to_kc",
    "scale",
    "set_constant",
    "silence",
]
