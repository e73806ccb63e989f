"""What users run in their own environment to turn a pickled module, which kanspice never loads, into plain tensors."""

from __future__ import annotations

STATE_DICT = "save only the weights: torch.save(model.state_dict(), path)"

_PHYKAN = b"PhyKAN"  # the authors' class; its state dict is empty, since its tensors lie in lists
PHYKAN = """where the authors' code is at hand, and only if you trust the file, run
      import json, pathlib, torch
      import PhyKAN_Util  # or whichever file defines the class
      model = torch.load("module.pt", map_location="cpu", weights_only=False)
      names = ("filter_params", "edge_mask", "thresholds")
      torch.save({f"{n}.{i}": t.detach().cpu() for n in names for i, t in enumerate(getattr(model, n))}, "model.pt")
      config = {"KANshape": list(model.KANshape), "filters_per_unit": model.filter_params[0].shape[2],
                "thresholding": bool(model.thresholding), "sigmoid_s": float(model.sigmoid_s)}
      pathlib.Path("config.json").write_text(json.dumps(config))
    and give model.pt with --config config.json"""


def export_hint(content: bytes) -> str:
    """How to have plain tensors instead of the pickled object in `content`, which is only searched for a name."""
    return PHYKAN if _PHYKAN in content else STATE_DICT
