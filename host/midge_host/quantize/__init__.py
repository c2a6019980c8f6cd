"""Quantising: a graph of floats becomes one of int8, as TensorFlow Lite Micro computes it.

quantise(graph, readings, options) -> the quantised graph; is_float(graph) -> whether it is wanted.
"""
