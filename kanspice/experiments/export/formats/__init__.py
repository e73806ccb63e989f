"""The languages that a circuit is exported in, a file each; `table.py` lists them."""
