"""A model on one page: what is drawn, and the page. commands/report.py gathers the facts."""
