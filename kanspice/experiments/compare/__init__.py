"""Two results of `verify`, held against each other."""

from kanspice.experiments.compare.comparison import Comparison, check_baseline, held_against
from kanspice.experiments.compare.document import comparison_json
from kanspice.experiments.compare.page import comparison_page

__all__ = [
    "Comparison",
    "check_baseline",
    "comparison_json",
    "comparison_page",
    "held_against",
]
