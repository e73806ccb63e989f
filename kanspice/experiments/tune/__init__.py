"""Networks trained through their circuits, and measured on specimens and samples that training never saw."""
