"""python -m kenyon.larvaworld_plugin.external SETTINGS MODE FILE: one run of the host in a process of its own."""

import json
import sys
from pathlib import Path

from kenyon.errors import KenyonError
from kenyon.larvaworld_plugin.registration import entered


def main(settings: str, mode: str, path: str) -> None:
    """Register, and only then run what a file of the host says; the file is deleted.

    Args:
        settings: What was registered in the process that started this one, as JSON.
        mode: The host's word, "sim" or "batch".
        path: The file.
    """
    with entered(json.loads(settings)):
        from larvaworld.lib import util
        from larvaworld.lib.sim.subprocess_run import Exec

        conf = util.load_dict(path)
        Path(path).unlink()
        Exec(mode, conf, str(conf.get("experiment")), run_externally=False).exec_run()


if __name__ == "__main__":
    try:
        main(*sys.argv[1:])
    except KenyonError as refusal:
        sys.exit(str(refusal))
