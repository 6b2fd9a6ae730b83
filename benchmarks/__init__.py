"""Compares our connector with the published one on the same emulated account: `make bench`."""
