"""Many runs of the pipeline: random draws, corners and sweeps of one model's circuit, on many cores, resumable.

For the command line and the public API; nothing below imports it.
"""

from kanspice.experiments.ensemble.variations import Corner, Sweep
from kanspice.experiments.study.plan import Request
from kanspice.experiments.study.result import StudyResult
from kanspice.experiments.study.run import resume, run, start

__all__ = ["Corner", "Request", "StudyResult", "Sweep", "resume", "run", "start"]
