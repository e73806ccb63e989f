"""What the engines that are other people's programs have in common: processes, circuits in folders, blocks, results."""
