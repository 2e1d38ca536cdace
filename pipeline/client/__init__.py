"""The other teams' side: records of a sink, as typed results. `from pipeline import subscribe`."""
