"""Ours against the published connector, on the same emulated account. `make bench`."""
