"""What to set on a chip that was measured: trims found on its twin, and used only where they help."""
