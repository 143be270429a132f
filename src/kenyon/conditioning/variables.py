"""Everything that a result holds: its name, what it is of, its unit and what it means."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

ANSWERS: Final = ("larva", "test", "test_odor")
"""Dimensions of what larvae answer at the tests."""

TIMED: Final = ("test_time_s", "phase_start_s")
"""What is also of each larva where an order was drawn for each."""


@dataclass(frozen=True)
class Variable:
    """One variable of a result, a coordinate or what was measured.

    Attributes:
        dims: What it is of; a variable of nothing is of the whole run.
        kind: "number", "switch" (true or false) or "text".
        meaning: What it says.
        units: Its unit, where it has one.
        kept_by: The option of a run that keeps it; "" where it is always there.
    """

    dims: tuple[str, ...]
    kind: str
    meaning: str
    units: str = ""
    kept_by: str = ""

    @property
    def attributes(self) -> dict[str, str]:
        """What a file says of it."""
        return {"long_name": self.meaning} | ({"units": self.units} if self.units else {})


MEASURED: Final[Mapping[str, Variable]] = MappingProxyType(
    {
        "preference_index": Variable(
            ANSWERS,
            "number",
            "(MBONp - MBONn) / (MBONp + MBONn) in the test; of a choice the first odor's less the other's",
        ),
        "test_rate_hz": Variable(
            (*ANSWERS, "group"), "number", "mean firing rate of a cell of the group in the test", "Hz"
        ),
        "phase_rate_hz": Variable(
            ("larva", "phase", "group"), "number", "mean firing rate of a cell of the group over the phase", "Hz"
        ),
        "diverged": Variable(
            ("larva", "phase"),
            "switch",
            "a membrane potential was beyond all bounds after the phase; that neuron is silent",
        ),
        "larva_run_id": Variable(("larva",), "text", "id of the run that each larva is of"),
        "w_kc_mbonp_nS": Variable(
            ("larva", "test", "kc"), "number", "weight from each Kenyon cell to MBONp at the test", "nS", "weights"
        ),
        "w_kc_mbonn_nS": Variable(
            ("larva", "test", "kc"), "number", "weight from each Kenyon cell to MBONn at the test", "nS", "weights"
        ),
        "test_kc_spikes": Variable(
            (*ANSWERS, "kc"), "number", "spikes of each Kenyon cell in the test; -1 where not tested", "", "codes"
        ),
        "rate_hz": Variable(
            ("larva", "second", "group"),
            "number",
            "mean firing rate of a cell of the group in the second",
            "Hz",
            "per_second",
        ),
        **{
            f"spike_{name}": Variable(("spike",), "number", f"of each recorded spike, {meaning}", units, "recordings")
            for name, (meaning, units) in {
                "larva": ("the place of its larva", ""),
                "neuron": ("the place of its neuron in the circuit", ""),
                "time_ms": ("the time since its phase or test began", "ms"),
                **{of: (f"the place of its {of}; -1 where it has none", "") for of in ("phase", "test", "test_odor")},
            }.items()
        },
        **{
            f"sample_{name}": Variable(("sample",), "number", f"of each sample, {meaning}", units, "recordings")
            for name, (meaning, units) in {
                "time_ms": ("the time since its phase or test began", "ms"),
                **{of: (f"the place of its {of}; -1 where it has none", "") for of in ("phase", "test", "test_odor")},
            }.items()
        },
        "recorded_v_mV": Variable(("larva", "sample", "neuron"), "number", "membrane potential", "mV", "recordings"),
        **{
            f"recorded_{name}": Variable(("larva", "sample", "kc"), "number", meaning, units, "recordings")
            for name, meaning, units in (
                ("w_kc_mbonp_nS", "weight from each Kenyon cell to MBONp", "nS"),
                ("w_kc_mbonn_nS", "weight from each Kenyon cell to MBONn", "nS"),
                ("eligibility", "share of the learning rate that a dopamine spike would take off", ""),
            )
        },
    }
)
"""What was measured."""

STATED: Final[Mapping[str, Variable]] = MappingProxyType(
    {
        "larva_seed": Variable(("larva",), "text", "seed of the larva"),
        "test_label": Variable(("test",), "text", "what the test came after"),
        "test_time_s": Variable(("test",), "number", "when it was, in the life of the larvae", "s"),
        "test_odor": Variable(("test_odor",), "text", "what the test was with: an odor, or all that sets it apart"),
        "test_smelled": Variable(("test_odor",), "text", "odors in the test, with their concentrations where not 1"),
        "test_against": Variable(("test_odor",), "text", "odors that took turns with these"),
        "test_s": Variable(("test_odor",), "number", "how long it lasted", "s"),
        "test_lived": Variable(("test_odor",), "switch", "the larvae lived through it; otherwise copies were asked"),
        "test_reward": Variable(("test_odor",), "number", "strength of reward in it"),
        "test_punishment": Variable(("test_odor",), "number", "strength of punishment in it"),
        "test_manipulations": Variable(("test_odor",), "text", "what was done to the circuit in it"),
        "group": Variable(("group",), "text", "group of neurons"),
        "phase_label": Variable(("phase",), "text", "what the phase was for"),
        "phase_start_s": Variable(("phase",), "number", "when it began, in the life of the larvae", "s"),
        "phase_duration_s": Variable(("phase",), "number", "how long it lasted", "s"),
        "phase_odors": Variable(("phase",), "text", "odors in it, with their concentrations where not 1"),
        "phase_against": Variable(("phase",), "text", "odors that took turns with these"),
        "phase_reward": Variable(("phase",), "number", "strength of reward in it"),
        "phase_punishment": Variable(("phase",), "number", "strength of punishment in it"),
        "phase_manipulations": Variable(("phase",), "text", "what was done to the circuit in it"),
        "run_id": Variable((), "text", "id of all that made the numbers"),
        "larva_group": Variable((), "text", "name of the group of larvae"),
        "design": Variable((), "text", "all that this group lived through and was asked, in the notation"),
        "larvae": Variable((), "number", "how many larvae there were"),
        "seed": Variable((), "text", "what the seeds of the larvae were made of; nothing where larvae were given"),
        "began_as": Variable((), "text", "what the larvae were at the beginning"),
        "kept": Variable((), "text", "options of the run that kept more than is always kept"),
        "wiring": Variable(
            (), "text", "how the Kenyon cells are wired: drawn, as measured, or all of it as hexadecimal digits"
        ),
        "kenyon_cells": Variable((), "number", "how many Kenyon cells each larva has"),
        "own_odors": Variable(
            (), "text", "odors that are no measured ones, as JSON: responses by name and concentration"
        ),
        "parameters": Variable((), "text", "name of the set of constants, and what differs from it"),
        "engine": Variable((), "text", "what computed it"),
        "versions": Variable((), "text", "versions of all that computes, as JSON"),
    }
)
"""What made it, besides each constant of the circuit, by its name."""

SECONDS: Final[Mapping[str, Variable]] = MappingProxyType(
    {
        "second_phase": Variable(("second",), "number", "the phase that the second is of, by its place"),
        "second_start_s": Variable(("second",), "number", "when it began in that phase", "s"),
        "second_duration_s": Variable(("second",), "number", "how long it lasted", "s"),
    }
)
"""The same where the rates of each second were kept."""
