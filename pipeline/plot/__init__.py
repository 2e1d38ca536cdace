"""Figures from records and from reports of benchmarks, as SVG."""
