"""What is left behind: by connections of every bad kind, and by many messages. `make leaks` for the large numbers."""
