"""What an experiment would do, said before anything is done."""

from collections.abc import Sequence

from kenyon.cli.experiments import Asked
from kenyon.cli.output import print_json, say
from kenyon.conditioning.designs import Design
from kenyon.conditioning.spelling import duration
from kenyon.conditioning.timeline import draw_in_text


def show(asked: Sequence[Asked], designs: Sequence[Design], larvae: int, *, as_json: bool) -> None:
    """Say what would happen, experiment by experiment: its text, when there is what, and how long it takes."""
    if as_json:
        print_json(
            [
                {
                    "experiment": one.name,
                    "design": design.text,
                    "larva_seconds": design.larva_seconds(larvae),
                    "groups": [
                        {"name": group.name, "duration_s": group.duration_s, "tests_s": group.probes_s}
                        for group in design.groups
                    ],
                }
                for one, design in zip(asked, designs, strict=True)
            ]
        )
        return
    for one, design in zip(asked, designs, strict=True):
        say(f"{one.name}: {design.text}")
        for line in ("", *draw_in_text(design).splitlines(), ""):
            say(line)
        groups = "1 group" if len(design.groups) == 1 else f"{len(design.groups)} groups"
        tests_s = max(group.probes_s for group in design.groups)
        say(
            f"{groups} of {larvae} larvae; the longest lives {duration(design.duration_s)} and is asked for "
            f"{duration(tests_s)}; {design.larva_seconds(larvae):,.0f} larva-seconds in all."
        )
