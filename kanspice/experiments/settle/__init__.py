"""How fast a circuit answers, and whether it comes to rest."""
