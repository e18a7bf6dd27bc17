"""What went wrong in an execution, as a value: its kind, who waits for whom, the shortest schedule that shows it."""
