"""Processes that we start and folders that we work in: none of them outlives us, however we end."""
