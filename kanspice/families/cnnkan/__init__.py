"""CNN-KANs: convolutions, a KANalogue layer at every pixel, and another on what is left of the image."""
