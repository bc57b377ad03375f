"""The door of the open data: what may be taken away, and what it means."""
