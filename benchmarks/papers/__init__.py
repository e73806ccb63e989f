"""The papers' tables and figures, as circuits: trains, measures, and writes docs/papers.md.

    python -m benchmarks.papers [STUDY ...] [--quick] [--only PATTERN] [--folder out/papers]

Every study trains what it needs with kanspice's own modules, measures it row by row, and keeps both: networks in the
folder, rows in benchmarks/results/papers/. What is there already is not done again. kanspice does not import this.
"""
