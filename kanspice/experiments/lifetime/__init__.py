"""How long circuits last: chips followed from second to year, and what setting them anew restores."""
