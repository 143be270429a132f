import pytest

from kenyon import progress as module
from kenyon.progress import progress


def test_plain_lines_where_there_is_no_terminal(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every line stands by itself, without codes that move a cursor, and on standard error."""
    monkeypatch.setattr(module, "QUIET_S", 0.0)
    monkeypatch.setattr(module, "LINE_EVERY_S", 0.0)
    with progress("training", 4) as done:
        done(1)
        done(3)
    written = capsys.readouterr()
    assert written.out == ""
    assert written.err == "training: 25%\ntraining: 100%\n"


def test_a_function_says_anew_what_is_done(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """So a line can tell how many have failed by then."""
    monkeypatch.setattr(module, "QUIET_S", 0.0)
    monkeypatch.setattr(module, "LINE_EVERY_S", 0.0)
    failed: list[int] = []
    with progress(lambda: f"{len(failed)} failed", 2) as done:
        done(1)
        failed.append(7)
        done(1)
    assert capsys.readouterr().err == "0 failed: 50%\n1 failed: 100%\n"


def test_nothing_is_shown_of_what_is_over_at_once(capsys: pytest.CaptureFixture[str]) -> None:
    """Quick work stays quiet, and so does work that was told to."""
    for show in (True, False):
        with progress("training", 1, show=show) as done:
            done(1)
    assert capsys.readouterr().err == ""
