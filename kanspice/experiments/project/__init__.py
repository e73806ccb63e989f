"""Every learnt edge of a KAN made of devices, and how far the network of devices is from it."""
