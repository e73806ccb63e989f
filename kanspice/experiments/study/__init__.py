"""Many runs of the pipeline: random draws, corners and sweeps of one model's circuit, on many cores, resumable."""
