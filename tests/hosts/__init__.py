"""The same short conversation over every host that can serve an application."""
