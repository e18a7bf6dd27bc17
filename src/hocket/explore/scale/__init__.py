"""Long explorations: their size estimated, saved and resumed, split over processes."""
