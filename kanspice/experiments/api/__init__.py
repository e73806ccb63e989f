"""Every command as a function with the command's arguments: what `kanspice` exports.

Files may be given by their paths, or what is in them: a network for a checkpoint, an array for an array. Nothing is
printed; with `progress=True` a bar shows how long it will take. Results show themselves, in a line (`repr`), on a
terminal (`rich.print`), in a notebook, as a data frame (`to_frame`) and as figures (`figures`).
"""
