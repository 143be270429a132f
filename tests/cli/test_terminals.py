"""Whatever a command is told, and wherever it prints: printable lines, one sentence where it fails, no traceback."""

import ast
import fcntl
import json
import os
import pty
import re
import struct
import subprocess
import sys
import termios
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click
import pytest

import kenyon
from kenyon.cli.inputs import InputFile
from kenyon.words import MOST_SAID
from tests.cli.running import ENOUGH, Done, commands, run

KENYON = [sys.executable, "-c", "from kenyon.cli import main; main()"]

HOSTILE = {
    "escape": "\x1b[2J\x1b]0;title\x07",
    "lines": "one\ntwo\r\nthree\x85four\u2028five",
    "direction": "\u202eabc\u2066",
    "no text": "\udcff\udc80",
    "markup": "[red]x[/] [/] [link=http://a]b",
    "long": "a" * 100_000,
    "blank": "",
    "digits": "9" * 5000,
}


def lines_of(done: Done, encoding: str = "utf-8") -> list[str]:
    """Return all lines of a command, which must print, be bounded, and not be those of a traceback."""
    lines = (done.out + done.err).decode(encoding).split("\n")
    assert not [line for line in lines if not line.isprintable()]
    assert max(map(len, lines)) <= MOST_SAID + 100
    assert not any("Traceback" in line for line in lines)
    return lines


def test_every_command_is_walked() -> None:
    """A new one must say with which arguments it is over at once."""
    assert dict(commands()).keys() == ENOUGH.keys()


def _is_short(text: str) -> bool:
    return len(text) < 100


def _name(value: Any) -> str:
    return " ".join(value) if isinstance(value, tuple) else str(value.name)


PARAMETERS = [
    (words, parameter)
    for words, command in commands()
    for parameter in command.params
    if not (isinstance(parameter, click.Option) and parameter.is_flag)
]


@pytest.mark.parametrize(("words", "parameter"), PARAMETERS, ids=_name)
def test_no_option_lets_what_a_terminal_obeys_come_back(
    words: tuple[str, ...], parameter: click.Parameter, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Escape sequences, line breaks, bidirectional marks, halves of characters, markup, long texts: spelled or cut."""
    monkeypatch.chdir(tmp_path)
    at_once = {"all": "".join(filter(_is_short, HOSTILE.values())), "blank": ""}  # makes one folder of results
    texts = at_once if parameter.name in ("out", "keep_in") else HOSTILE
    for kind, text in texts.items():
        told = [text] if isinstance(parameter, click.Argument) else [parameter.opts[0], text]
        if isinstance(parameter, click.Argument) and text.startswith("-"):
            continue
        arguments = [*words, *ENOUGH[words], *told]
        if isinstance(parameter, click.Argument) and words[0] == "sessions":
            arguments = [*words, text, text, *ENOUGH[words][2:]]
        done = run(arguments, tmp_path)
        lines_of(done)
        assert done.status in (0, 1, 2), (kind, done.err)


def _fifo(path: Path) -> None:
    os.mkfifo(path)


def _huge(path: Path) -> None:
    with path.open("wb") as file:
        file.truncate(20_000_000_000)


FILES: dict[str, Callable[[Path], Any]] = {
    "missing": lambda _: None,
    "folder": Path.mkdir,
    "empty": Path.touch,
    "binary": lambda path: path.write_bytes(b"\xff\xfe\x00\x1b[31m" * 100),
    "text": lambda path: path.write_text("a text of\nsome lines\n", "utf-8"),
    "huge": _huge,
    "pipe": _fifo,
    "device": lambda path: path.symlink_to("/dev/zero"),
    "loop": lambda path: path.symlink_to(path),
    "below a file/here": lambda path: path.parent.touch(),
}
FILE_PARAMETERS = [
    (words, parameter) for words, parameter in PARAMETERS if isinstance(parameter.type, (InputFile, click.Path))
]


@pytest.mark.parametrize(("words", "parameter"), FILE_PARAMETERS, ids=_name)
def test_a_file_that_an_option_names_may_be_anything(
    words: tuple[str, ...], parameter: click.Parameter, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As a `--token-file` that is not UTF-8: missing, a folder, empty, endless, a pipe nobody writes to: a sentence."""
    monkeypatch.chdir(tmp_path)
    for kind, make in FILES.items():
        path = tmp_path / kind
        make(path)
        told = [str(path)] if isinstance(parameter, click.Argument) else [parameter.opts[0], str(path)]
        if words == ("serve",) and isinstance(parameter.type, InputFile):
            told = ["--port", "0", *told]
            if parameter.name in ("tls_cert", "tls_key"):
                told += ["--tls-key" if parameter.name == "tls_cert" else "--tls-cert", str(path)]
        done = run([*words, *ENOUGH[words], *told], tmp_path)
        lines = lines_of(done)
        if isinstance(parameter.type, InputFile) and (words[0] != "larvaworld" or parameter.name == "token_file"):
            assert done.status in (1, 2)
            assert sum(line.startswith("Error: ") for line in lines) == 1, (kind, lines)


ENCODINGS = ("utf-8", "ascii", "latin-1", "cp1252", "cp437", "koi8-r", "utf-16")


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_every_command_prints_in_every_encoding(encoding: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As `PYTHONIOENCODING=latin-1 kenyon odors`: plain letters stand for what is lacking; in help and errors too."""
    monkeypatch.chdir(tmp_path)
    for words, enough in ENOUGH.items():
        quick = enough if words not in (("verify",), ("train",)) else (*enough, "果ΔJü")
        for arguments in ([*words, *quick], [*words, "--help"], [*words, "--果ΔJü"]):
            done = run(arguments, tmp_path, encoding=encoding)
            lines_of(done._replace(err=b""), encoding)
            lines_of(done._replace(out=b""), encoding)
    text = run(["odors"], tmp_path, encoding=encoding).out.decode(encoding)
    assert ("ΔF/F" if encoding.startswith("utf") else "dF/F") in text


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="a file that is always full is Linux's")
def test_no_command_prints_into_what_is_full_as_if_nothing_were_wrong(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One sentence and a status that is not 0, for help and version too."""
    monkeypatch.chdir(tmp_path)
    prints = [[*words, "--help"] for words in ENOUGH] + [["--help"], ["--version"], ["odors"], ["odors", "--json"]]
    for arguments in (*prints, ["paradigms"], ["doctor"], ["train", *ENOUGH["train",]]):
        done = run(arguments, tmp_path, out="/dev/full")
        assert done.status == 1
        assert done.err.decode().splitlines()[-1] == (
            "Error: what is written must find room, but: No space left on device; see to the disk or write elsewhere"
        )


def shell(command: str, folder: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run a line of a shell in which `kenyon` is the command."""
    line = f'kenyon() {{ "{sys.executable}" -c "from kenyon.cli import main; main()" "$@"; }}; {command}'
    return subprocess.run(
        ["bash", "-c", line], capture_output=True, text=True, check=False, cwd=folder, env={**os.environ, **environment}
    )


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="as above")
def test_a_process_ends_without_noise_whatever_its_streams_are(tmp_path: Path) -> None:
    """Full, closed, or no longer read: no "Exception ignored", no traceback; what is closed is no file's place."""
    full = "kenyon odors >/dev/full; echo $? >&2"
    ended = shell(f"kenyon odors | head -1; kenyon odors >&- 2>&-; {full}; export PYTHONUNBUFFERED=1; {full}", tmp_path)
    full = "Error: what is written must find room, but: No space left on device; see to the disk or write elsewhere"
    assert ended.stderr.splitlines() == [full, "1", full, "1"]
    assert len(ended.stdout.splitlines()) == 1


def on_terminal(arguments: list[str], folder: Path, columns: int, **environment: str) -> str:
    """Return what a command prints on a terminal of so many columns, one line after the other."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 50, columns, 0, 0))
    without = {name: value for name, value in os.environ.items() if name not in ("COLUMNS", "LINES")}
    with subprocess.Popen(
        [*KENYON, *arguments], stdout=theirs, stderr=theirs, stdin=theirs, cwd=folder, env={**without, **environment}
    ) as process:
        os.close(theirs)
        printed = bytearray()
        while True:
            try:
                chunk = os.read(ours, 65_536)
            except OSError:  # what Linux says where others say that the end has come
                break
            if not chunk:
                break
            printed += chunk
        process.wait(60)
    os.close(ours)
    text = printed.decode().replace("\r\n", "\n").rpartition("\x1b[2K")[2]  # what comes after a progress bar
    text = re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", text)
    return re.sub(r"(?m)^paired, 1 larvae: \d+%\n", "", text)  # said of what takes long


@pytest.mark.parametrize(
    ("environment", "arguments"),
    [({"TERM": "dumb"}, ["odors", "anisole"]), ({"TERM": "xterm", "NO_COLOR": "1"}, ["train", *ENOUGH["train",]])],
    ids=["odors", "train"],
)
def test_a_narrow_terminal_breaks_no_word_and_no_number(
    environment: dict[str, str], arguments: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """At 40 columns every word and number of the table that a program gets is there, whole, on lines that fit."""
    monkeypatch.chdir(tmp_path)
    wide, narrow = run(arguments, tmp_path).out.decode(), on_terminal(arguments, tmp_path, 40, **environment)
    assert narrow.replace("\n", "").isprintable()
    end = narrow.find("Above 0")  # where the table of `train` is over, and sentences begin
    assert max(map(len, narrow[: end if end > 0 else None].split("\n"))) <= 40
    words, whole = ({word.rstrip(":") for word in printed.split()} for printed in (wide, narrow))
    assert {word for word in words if word.strip("─-")} <= whole


def test_rich_is_told_nothing_by_texts_of_others() -> None:
    """Only three files print, and each cleans what it prints: no other calls print, click's echo or rich's console."""
    printers = {"cli/output.py", "progress.py"}
    root = Path(kenyon.__file__).parent
    for path in root.rglob("*.py"):
        calls = {
            ast.unparse(node.func).rpartition(".")[2]
            for node in ast.walk(ast.parse(path.read_text("utf-8")))
            if isinstance(node, ast.Call)
        }
        if path.relative_to(root).as_posix() not in printers:
            assert not calls & {"print", "echo", "secho", "Console", "print_exc"}, path


def test_json_is_the_same_value_and_prints(tmp_path: Path) -> None:
    """Ids are data: escaped, and read back as they are."""
    from kenyon.cli.output import json_text

    for text in HOSTILE.values():
        said = json_text({text: [text, 1.5]})
        assert said.isprintable()
        assert said.isascii()
        assert json.loads(said) == {text: [text, 1.5]}
    assert json.loads(run(["odors", "--json"], tmp_path, encoding="cp437").out)["odors"]


def test_without_compiling_every_command_and_class_says_so_in_a_sentence(tmp_path: Path) -> None:
    """NUMBA_DISABLE_JIT=1: whatever computes is refused, and names the variable; what does not compute works."""
    script = """
import sys, traceback
from tests.cli.running import ENOUGH, run
from pathlib import Path
import kenyon.memory, kenyon.mushroom_body
from kenyon.errors import InputError
for words, enough in ENOUGH.items():
    if words[0] == "serve":
        enough = ("--port", "0", "--state-dir", ":memory:")
    done = run([*words, *enough], Path("."))
    assert b"Traceback" not in done.err, done
    print(words[0], done.status, "NUMBA_DISABLE_JIT must be" in (done.out + done.err).decode(), sep="/")
for make in (
    lambda: kenyon.mushroom_body.Population(seeds=[1]),
    lambda: kenyon.memory.RLOlfMemory(gain={"Odor": 0.0}, seed=1).step(reward=True, dx={"Odor": 0.1}),
    lambda: kenyon.memory.MushroomBodyMemory(gain={"CS": 0.0}).step(dx={"CS": 1.0}),
):
    try:
        make()
    except InputError as refusal:
        print(str(refusal).startswith("NUMBA_DISABLE_JIT must be"))
"""
    done = subprocess.run(
        [sys.executable, "-c", script],
        capture_output=True,
        text=True,
        check=False,
        cwd=tmp_path,
        env={**os.environ, "NUMBA_DISABLE_JIT": "1", "PYTHONPATH": str(Path(__file__).parents[2])},
    )
    said = done.stdout.split()
    assert said[-3:] == ["True"] * 3, done.stderr
    assert {"train/2/True", "odors/2/True", "verify/2/True", "doctor/0/True", "serve/2/True", "paradigms/0/False"} <= {
        *said
    }
