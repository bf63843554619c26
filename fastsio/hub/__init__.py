"""Floor 2: who is here, and who hears what."""
