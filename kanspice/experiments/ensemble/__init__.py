"""Many specimens of a circuit, each measured by itself: points and draws, a journal, workers, and going on later.

What is measured of a specimen is the experiment's: an object with `measure(trial, seed)` that can be sent to workers.
"""
