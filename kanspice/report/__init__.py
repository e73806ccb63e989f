"""One measured gap, rendered: for a script, for CI, for a terminal, for a reader."""

from kanspice.report.comparing import comparison_json
from kanspice.report.comparison_page import comparison_html, comparison_markdown, comparison_page, print_comparison
from kanspice.report.html import SHOWN_WAVEFORMS, to_html
from kanspice.report.json_report import to_json
from kanspice.report.junit import to_junit
from kanspice.report.markdown import to_markdown
from kanspice.report.reading import from_json, read_report
from kanspice.report.table import print_gap

__all__ = [
    "SHOWN_WAVEFORMS",
    "comparison_html",
    "comparison_json",
    "comparison_markdown",
    "comparison_page",
    "from_json",
    "print_comparison",
    "print_gap",
    "read_report",
    "to_html",
    "to_json",
    "to_junit",
    "to_markdown",
]
