"""One measured gap, rendered: for a script, for CI, for a terminal, for a reader."""

from kanspice.report.files import write_text
from kanspice.report.json_report import to_json
from kanspice.report.table import print_gap

__all__ = ["print_gap", "to_json", "write_text"]
