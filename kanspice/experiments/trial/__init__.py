"""What a device would do in networks: one type of device at every crosspoint, small tasks, beside shipped devices."""
