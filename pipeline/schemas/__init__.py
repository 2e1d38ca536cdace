"""The JSON Schemas of all records, for whoever reads them without our code."""
