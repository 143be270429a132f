"""A SLURM of one node, this machine, from the programs of the distribution: everything of it lies in one folder."""

import os
import platform
import shutil
import socket
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from getpass import getuser
from pathlib import Path

from kenyon.threads import available_cores
from tests.cluster.processes import wait_until

PROGRAMS = "munged", "slurmctld", "slurmd", "sbatch", "squeue", "scancel", "sinfo"

CONFIGURATION = """
ClusterName=here
SlurmctldHost={node}(127.0.0.1)
SlurmctldPort={control_port}
SlurmdPort={node_port}
SlurmUser={user}
SlurmdUser={user}
AuthType=auth/munge
AuthInfo=socket={folder}/munge/socket
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd.pid
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SwitchType=switch/none
MpiDefault=none
ReturnToService=2
KillWait=2
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
JobAcctGatherType=jobacct_gather/none
NodeName={node} NodeAddr=127.0.0.1 CPUs={cores} RealMemory=4000
PartitionName=all Nodes=ALL Default=YES
"""


def missing() -> list[str]:
    """Return which programs are not on this machine."""
    return [name for name in PROGRAMS if shutil.which(name, path=_path()) is None]


@contextmanager
def slurm(folder: Path) -> Iterator[None]:
    """Let `sbatch` and its kind speak to a SLURM of one node."""
    munge = folder / "munge"
    for own in (munge, folder / "state", folder / "spool"):
        own.mkdir(parents=True)
    (munge / "key").touch(0o600)
    (munge / "key").write_bytes(os.urandom(1024))
    munge.chmod(0o711)
    file = folder / "slurm.conf"
    file.write_text(
        CONFIGURATION.format(
            node=platform.node().split(".")[0], user=getuser(), folder=folder, cores=available_cores(),
            control_port=_free_port(), node_port=_free_port(),
        ), "utf-8",
    )  # fmt: skip
    before = dict(os.environ)
    os.environ.update({"SLURM_CONF": str(file), "PATH": _path()})
    with ExitStack() as running:
        running.callback(_restored, before)
        names = {"socket": "socket", "key-file": "key", "pid-file": "pid", "log-file": "log", "seed-file": "seed"}
        options = [f"--{option}={munge / name}" for option, name in names.items()]
        for command in (["munged", "--foreground", "--force", *options], ["slurmctld", "-D"], ["slurmd", "-D"]):
            running.enter_context(_started(command, folder / f"{command[0]}.log"))
            if command[0] == "munged":
                wait_until((munge / "socket").exists)
        wait_until(lambda: "idle" in said(["sinfo", "--noheader"]))
        running.callback(said, ["scancel", "--user", getuser()])
        yield


def said(command: Sequence[str]) -> str:
    """Return what a command prints."""
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=60).stdout


def wait_for_jobs(timeout_s: float = 600.0) -> None:
    """Wait until no job is left."""
    wait_until(lambda: not said(["squeue", "--noheader"]), timeout_s)


@contextmanager
def _started(command: Sequence[str], log: Path) -> Iterator[None]:
    with log.open("wb") as out, subprocess.Popen(command, stdout=out, stderr=out) as process:
        try:
            yield
        finally:
            process.terminate()


def _path() -> str:
    return os.pathsep.join([os.environ["PATH"], "/usr/sbin", "/sbin"])


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        return int(taken.getsockname()[1])


def _restored(before: dict[str, str]) -> None:
    os.environ.clear()
    os.environ.update(before)
