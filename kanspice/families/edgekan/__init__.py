"""KANs of other libraries: every edge is a learnt function of one value, and nodes add. They have no circuit."""
