"""Many results of `verify`, one after the other."""

from kanspice.experiments.history.document import history_json
from kanspice.experiments.history.history import History, HistoryEntry, history_of
from kanspice.experiments.history.page import history_page

__all__ = ["History", "HistoryEntry", "history_json", "history_of", "history_page"]
