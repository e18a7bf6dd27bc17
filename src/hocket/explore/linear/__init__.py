"""Linearizability: the history of an execution against an ordinary sequential class."""
