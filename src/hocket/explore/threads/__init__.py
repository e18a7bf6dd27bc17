"""Unmodified `threading` code under control.

Actors are pooled OS threads; what the standard library takes from `_thread` is a stand-in here.
"""
