"""Applications as people see them, in headless Chromium."""
