"""Schedules drawn at random, for programs too large to be explored whole, and what such a sample covered."""
