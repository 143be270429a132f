import numpy as np
import pytest

from kenyon.conditioning import Experiment
from kenyon.errors import InputError
from kenyon.live import watch
from tests.live.reading import Browser, answered


def test_a_page_is_there_as_long_as_its_with_statement() -> None:
    """With the page itself at its address; a browser hears the end, and can ask for nothing after it."""
    experiment = Experiment("A+ 2s, ?A", larvae=2)
    with watch(experiment) as page:
        status, html = answered(page.address, "GET", "")
        browser = Browser(page.address)
        experiment.run([page], show_progress=False)
    assert status == 200
    assert b'new EventSource("events")' in html
    assert browser.end()[-1]["complete"]
    with pytest.raises(OSError, match="refused"):
        answered(page.address, "GET", "")


def test_a_run_that_is_broken_off_is_said_to_be_incomplete() -> None:
    """A browser does not wait for what will not come."""
    experiment = Experiment("A+ 10s, ?A", larvae=1)
    with watch(experiment) as page:
        browser = Browser(page.address)
        with pytest.raises(KeyboardInterrupt):
            experiment.run([page, _interrupt], show_progress=False)
    assert browser.end()[-1] == {**browser.messages[-1], "kind": "ended", "complete": False}


def _interrupt(event: object) -> None:
    if type(event).__name__ == "SliceLived":
        raise KeyboardInterrupt


def test_a_page_that_heard_nothing_is_closed_in_silence() -> None:
    """And closing it twice is no matter."""
    page = watch(Experiment("A+ 1s", larvae=1))
    browser = Browser(page.address)
    page.close()
    page.close()
    assert browser.end() == []


def test_a_fault_of_the_page_is_no_fault_of_the_run(caplog: pytest.LogCaptureFixture) -> None:
    """It is logged, and whoever runs something hears nothing of it."""
    with watch(Experiment("A+ 1s", larvae=1)) as page:
        page(object())
    assert "a page could not show something by a fault of Kenyon's; the run goes on" in caplog.text


@pytest.mark.parametrize("nonsense", [5, "PItrain", None, np.array([1, 2]), object()])
def test_what_cannot_be_watched_is_refused_in_one_sentence(nonsense: object) -> None:
    """Whatever it is, alone or beside what can be."""
    for runs in ((nonsense,), (Experiment("A+ 1s", larvae=1), nonsense)):
        with pytest.raises(InputError, match="a run to watch must be Experiments, the Settings of a server, or a run"):
            watch(*runs)
