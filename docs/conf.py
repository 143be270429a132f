"""How `make docs` builds the site: pages of Markdown, notebooks among them executed, and the API from docstrings."""

import hashlib
import re
from importlib.metadata import version as installed
from pathlib import Path
from typing import Any

import docutils
from docutils.utils.math.latex2mathml import tex2mathml
from jupyter_client.kernelspec import KernelSpecManager
from sphinx.application import Sphinx

HERE = Path(__file__).parent

project = "Kenyon"
author = "The Kenyon developers"
copyright = author  # noqa: A001
version = release = installed("kenyon")

extensions = ["myst_nb", "sphinx.ext.autodoc", "sphinx.ext.napoleon", "sphinx.ext.intersphinx"]
exclude_patterns = ["_build", "inventories"]
suppress_warnings = ["misc.highlighting_failure"]  # the grammar of the notation is EBNF in Lark's way
nitpicky = False  # Types of numpy and others are named in signatures; those that have an inventory become links.

# Pages. Links and anchors are those of a code host, so that pages read well there, too.
myst_enable_extensions = ["dollarmath"]
myst_heading_anchors = 4
myst_fence_as_directive = ["math"]

# Notebooks run once for each state of the code: what stands on a page is what this code gives.
nb_execution_mode = "cache"
nb_execution_in_temp = True  # what they write is gone afterward
nb_execution_timeout = 900  # Larvae in Larvaworld take a minute or two, and more where others use the machine.
nb_execution_raise_on_error = True
nb_execution_show_tb = True
nb_merge_streams = True


def _state_of_the_code() -> str:
    """Return a digest of all that notebooks import of ours."""
    digest = hashlib.sha256()
    for path in sorted((HERE.parent / "src").rglob("*.py")):
        digest.update(path.read_bytes())
    return digest.hexdigest()[:16]


nb_execution_cache_path = str(HERE / "_build" / "executed" / _state_of_the_code())

HOST_KERNEL = "larvaworld"
HAS_HOST = HOST_KERNEL in KernelSpecManager().find_kernel_specs()
"""Whether pages about Larvaworld can be run here: `make docs` makes that kernel where there is a Python for it."""
NOT_RUN = ":::{note}\nBuilt without Larvaworld, so what this page would print and draw is not shown.\n:::\n"


def _needs_host(text: str) -> bool:
    """Return whether a page is a notebook for the host's kernel."""
    head = text.split("\n---\n", maxsplit=1)[0]
    return text.startswith("---\n") and f"name: {HOST_KERNEL}" in head


nb_execution_excludepatterns = [
    str(page.relative_to(HERE)) for page in HERE.glob("*/*.md") if not HAS_HOST and _needs_host(page.read_text("utf-8"))
]

# The API. Order and names are those of the lists in reference/api; types stand in signatures, what they mean in words.
autodoc_member_order = "bysource"
autodoc_typehints = "signature"
autodoc_typehints_format = "short"
autodoc_preserve_defaults = True
python_maximum_signature_line_length = 88
napoleon_numpy_docstring = False
napoleon_use_ivar = True  # attributes are told once, by the class
default_role = "py:obj"  # a name in backticks leads to it, where it stands in these lists
napoleon_custom_sections = ["Randomness", "Reference", "Equation"]

# What others document; the inventories lie here, so that nothing is asked of the network. inventories/README.md.
intersphinx_mapping = {
    "brian2": ("https://brian2.readthedocs.io/en/stable/", "inventories/brian2.inv"),
    "xarray": ("https://docs.xarray.dev/en/stable/", "inventories/xarray.inv"),
}
intersphinx_disabled_reftypes = ["*:*doc"]

html_theme = "furo"
html_title = f"Kenyon {release}"
html_static_path = ["_static"]
html_css_files = ["site.css"]
html_copy_source = False
html_show_sphinx = False


def _math_inline(writer: Any, node: Any) -> None:
    """Write a formula within a line as MathML, which browsers draw without a script from elsewhere."""
    writer.body.append(tex2mathml(node.astext()))
    raise docutils.nodes.SkipNode


def _math_block(writer: Any, node: Any) -> None:
    """Write a formula on lines of its own."""
    writer.body.append(tex2mathml(node.astext()).replace("<math ", '<math display="block" ', 1))
    raise docutils.nodes.SkipNode


def _say_what_was_not_run(_app: Sphinx, docname: str, source: list[str]) -> None:
    """Say on a page for the host that it was built without it."""
    if docname + ".md" in nb_execution_excludepatterns:
        head, title, body = source[0].partition("\n# ")
        first, rest = body.split("\n", 1)
        source[0] = f"{head}{title}{first}\n\n{NOT_RUN}\n{rest}"


def _hand_out_what_lies_outside(_app: Sphinx, docname: str, source: list[str]) -> None:
    """Let links to pages and notebooks of the repository outside docs lead to a copy of the file."""
    folder = (HERE / docname).parent

    def path(link: re.Match[str]) -> str:
        outside = HERE not in (folder / link[1]).resolve().parents
        return f"](path:{link[1]})" if outside else link[0]

    source[0] = re.sub(r"\]\((\.\./[^)#:]+\.(?:md|ipynb))(#[^)]*)?\)", path, source[0])


def setup(app: Sphinx) -> None:
    """Add what the configuration alone cannot say."""
    app.add_html_math_renderer("mathml", (_math_inline, None), (_math_block, None))
    app.connect("source-read", _say_what_was_not_run)
    app.connect("source-read", _hand_out_what_lies_outside)


html_math_renderer = "mathml"
