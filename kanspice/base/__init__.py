"""What knows nothing of networks and circuits: errors, files, processes, arrays, random draws."""
