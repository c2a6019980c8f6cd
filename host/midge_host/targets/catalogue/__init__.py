"""The boards that people have: what fits them, how long a prediction takes, how long a battery lasts.

chips.py and boards.py are the tables, and the only places to add one to. costs.py models the cycles of a layer from
costs.json, which `python -m counting.costs` fits to counted layers; energy.py is currents, batteries and days.
"""
