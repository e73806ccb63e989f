"""Which chip was measured: the numbers of its specimen and of its technology that explain what it gave."""
