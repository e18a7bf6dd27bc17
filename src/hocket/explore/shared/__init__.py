"""Data that several actors can reach: what was tracked, and what was not and keeps the verdict from `proved`."""
