"""What became of claims as one HTML page that needs nothing else: first the table, then each claim.

Law of this file: every text from outside passes `_text`; the page asks no network and runs no script.
"""

from collections.abc import Mapping, Sequence
from html import escape
from importlib import resources
from typing import TYPE_CHECKING, Final

from kenyon.conditioning.claims.answers import spelled
from kenyon.conditioning.claims.claim import Claim
from kenyon.conditioning.claims.judging import VERDICTS, Judgement, Verdict
from kenyon.drawing import inline_svg
from kenyon.mushroom_body import PUBLISHED
from kenyon.mushroom_body.wiring import WIRINGS

if TYPE_CHECKING:  # matplotlib is slow to import
    from matplotlib.figure import Figure

_STYLE: Final = resources.files(__package__).joinpath("report.css").read_text("utf-8")

MEANINGS: Final = {
    "holds": "every bound is met: by the whole 95 % interval of the mean over odors, and by the mean of each odor",
    "partly": "the whole interval is on the right side of no effect, but some bound is missed",
    "fails": "there is no such effect, or the opposite",
    "fitted": "the constants were searched for so that this holds: it is no evidence; behind the colon, what was found",
    "unknown": "nobody has asked this of the animal; what the circuit does is shown",
    "not testable": "no circuit of this kind can be asked",
}
"""What each verdict means."""

_CAPTION: Final = (
    "Dots are means over larvae, bars their 95&nbsp;% intervals, ticks the means with each pair of odors where "
    "there are several; green is what is asked for."
)
_SIGNS: Final = dict(zip(VERDICTS, "✓◐✗◇?·", strict=True))
_SPECIES: Final = {"larva": "Found in larvae", "adult": "Found in adult flies", "model": "Claimed of the model"}
_PLURAL: Final = {"holds": "hold", "fails": "fail"}


def page(title: str, judgements: Sequence[Judgement], drawn: "Mapping[str, Figure]") -> str:
    """Return the page.

    Args:
        title: What the claims are about.
        judgements: What became of them with each set of constants.
        drawn: A figure of each claim that was asked, by its id.
    """
    claims = [verdict.claim for verdict in judgements[0].verdicts]
    parts = [
        f"<h1>{_text(title)}</h1>",
        _lead(judgements),
        _table(claims, judgements),
        _meanings(),
        *(_claim(claim, judgements, drawn) for claim in claims),
        _made(judgements),
    ]
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f'<meta name="color-scheme" content="light dark">\n<title>{_text(title)}</title>\n<style>\n{_STYLE}</style>\n'
        f"</head>\n<body>\n<main>\n{''.join(parts)}</main>\n</body>\n</html>\n"
    )


def _lead(judgements: Sequence[Judgement]) -> str:
    first = judgements[0]
    counts = "; ".join(f"<b>{_text(own.set)}</b> {_counts(own)}" for own in judgements)
    pairs = ", then ".join(f"A = {' with B = '.join(own[:2])}" for own in first.odors)
    return (
        f'<p class="lead">{len(first.verdicts)} claims, each asked of {first.larvae} simulated larvae with '
        f"{_several(len(judgements), 'set')} of constants, with {_text(' and '.join(first.reinforcers))} "
        f"({_text(pairs)}). {counts}.</p>\n"
    )


def _counts(judgement: Judgement) -> str:
    words = [verdict.word for verdict in judgement.verdicts]
    counts = {word: words.count(word) for word in VERDICTS if word in words}
    return ", ".join(f"{many} {_PLURAL.get(word, word) if many > 1 else word}" for word, many in counts.items())


def _several(count: int, what: str) -> str:
    return f"{count} {what}{'s' * (count != 1)}"


def _table(claims: Sequence[Claim], judgements: Sequence[Judgement]) -> str:
    head = "".join(f"<th>{_text(own.set)}</th>" for own in judgements)
    rows = "".join(
        f'<tr><th><a href="#{_text(claim.id)}">{_text(claim.id)}</a></th>'
        f"<td>{_text(claim.statement)}{_headline(claim)}</td>"
        + "".join(_cell(own.set, own[claim.id]) for own in judgements)
        + "</tr>\n"
        for claim in claims
    )
    return (
        f'<table class="verdicts">\n<thead><tr><th></th><th>claim</th>{head}</tr></thead>\n<tbody>\n{rows}</tbody>\n'
        "</table>\n<p class=note>Below each claim stands the figure that it is about before all, below each verdict "
        "what that is, with its 95&nbsp;% interval over larvae; indices of preference as shares of what three "
        "trials teach.</p>\n"
    )


def _headline(claim: Claim) -> str:
    """Return what the effect of a claim is, as a line of its own."""
    return "" if claim.headline is None else f"<br><small>{_text(claim.headline.statement)}</small>"


def _cell(name: str, verdict: Verdict) -> str:
    effect = "" if verdict.effect is None else f'<span class="effect">{_text(verdict.effect.words)}</span>'
    return f'<td data-set="{_text(name)}">{_chip(verdict)}{effect}</td>'


def _chip(verdict: Verdict) -> str:
    kind = verdict.word.replace(" ", "-")
    return f'<span class="chip {kind}">{_SIGNS[verdict.word]} {_text(verdict.words)}</span>'


def _meanings() -> str:
    rows = "".join(
        f'<dt><span class="chip {word.replace(" ", "-")}">{_SIGNS[word]} {word}</span></dt><dd>{meaning}</dd>\n'
        for word, meaning in MEANINGS.items()
    )
    return f"<details>\n<summary>What the verdicts mean</summary>\n<dl>\n{rows}</dl>\n</details>\n"


def _claim(claim: Claim, judgements: "Sequence[Judgement]", drawn: "Mapping[str, Figure]") -> str:
    chips = " ".join(f"<span>{_text(own.set)} {_chip(own[claim.id])}</span>" for own in judgements)
    parts = [
        f'<section id="{_text(claim.id)}">\n<h2><span>{_text(claim.id)}</span> {_text(claim.statement)}</h2>\n',
        f'<p class="chips">{chips}</p>\n',
        f"<p><b>{_SPECIES[claim.species]}.</b> {_text(claim.source or 'No source is known.')}</p>\n",
    ]
    parts += [f"<p><b>{words}.</b> {_text(text)}</p>\n" for words, text in _remarks(claim)]
    if claim.groups:
        figure = f"<figure>{inline_svg(drawn[claim.id])}<figcaption>{_CAPTION}</figcaption></figure>\n"
        parts += [_groups(claim), "<h3>What the circuit did</h3>\n", figure, _figures(claim, judgements)]
    if claim.contradicted_by:
        parts.append(f"<p><b>What would contradict it.</b> {_text(claim.contradicted_by)}</p>\n")
    return "".join([*parts, "</section>\n"])


def _remarks(claim: Claim) -> list[tuple[str, str]]:
    fitted = f"It was a target of the search for {' and '.join(claim.fitted_in)}." if claim.fitted_in else ""
    remarks = {"Why it cannot be tested": claim.not_testable, "Why it is unknown": claim.unknown, "Fitted": fitted}
    return [(words, text) for words, text in remarks.items() if text]


def _groups(claim: Claim) -> str:
    rows = "".join(
        f"<dt>{_text(name)}{_control(claim, name)}</dt><dd><code>{_text(spelled(text, 'reward'))}</code></dd>\n"
        for name, text in claim.groups.items()
    )
    return (
        "<h3>How it was asked</h3>\n<p class=note><code>A+ 60s</code> is a minute of odor A with the reinforcer, "
        "<code>60s</code> a pause, <code>?A 4s</code> a test on a copy of the larva; with punishment, too, where "
        f"reward stands.</p>\n<dl class=groups>\n{rows}</dl>\n"
    )


def _control(claim: Claim, name: str) -> str:
    return f" <small>control: {_text(claim.controls[name])}</small>" if name in claim.controls else ""


def _figures(claim: Claim, judgements: Sequence[Judgement]) -> str:
    head = "".join(f"<th>{_text(own.set)}</th>" for own in judgements)
    rows = ""
    for us in judgements[0].reinforcers:
        for criterion in claim.criteria:
            cells = ""
            for judgement in judgements:
                (own,) = [it for it in judgement[claim.id].measured if it.criterion is criterion and it.us == us]
                mark = f' class="{"met" if own.met else "missed"}"' if criterion.decides else ""
                cells += f"<td{mark}>{_text(own.words)}</td>"
            rows += (
                f"<tr><td>{_text(criterion.statement)}</td><td>{us}</td><td>{_text(criterion.asks)}</td>{cells}</tr>\n"
            )
    return (
        "<details>\n<summary>All figures, with their 95&nbsp;% intervals</summary>\n<div class=scroll><table>\n<thead>"
        f"<tr><th>figure</th><th>with</th><th>asked</th>{head}</tr></thead>\n<tbody>\n{rows}</tbody>\n</table></div>\n"
        "</details>\n"
    )


def _made(judgements: Sequence[Judgement]) -> str:
    first = judgements[0]
    said = {
        "larvae": f"{first.larvae} in each group, the same ones in all groups and with all sets",
        "seed": str(first.seed),
        "wiring": first.wiring + ", measured in one brain: n = 1" * (first.wiring in WIRINGS),
        **{f"run of {own.set}": own.run_id for own in judgements},
        "versions": ", ".join(f"{name} {number}" for name, number in first.versions.items()),
        **{f"constants of {own.set}": _constants(own) for own in judgements},
    }
    rows = "".join(f"<dt>{_text(name)}</dt><dd>{_text(words)}</dd>\n" for name, words in said.items())
    return (
        f"<section>\n<h2>How it was made</h2>\n<dl>\n{rows}</dl>\n<p class=note>The same larvae, seed, constants and "
        "versions give the same numbers. An index of preference is (MBONp - MBONn) / (MBONp + MBONn) of the rates of "
        "the two output neurons, here with its sign turned for punishment.</p>\n</section>\n"
    )


def _constants(judgement: Judgement) -> str:
    changed = judgement.parameters.differences(PUBLISHED)
    return ", ".join(f"{name} {here}" for name, (here, _) in changed.items()) or "as published"


def _text(text: str) -> str:
    return escape(text)
