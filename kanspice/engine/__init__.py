"""What an engine is to everyone else: how it is run, what it returns, what is accepted of it, and which there are."""
