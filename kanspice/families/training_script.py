"""A training script's frame: what it is told on its command line, the same results every time, and what it writes."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from kanspice.families.common.network import Network
from kanspice.families.common.training import fit
from kanspice.families.saving import save


@dataclass(frozen=True)
class TrainingScript:
    """How to train, and the folder for model.pt, inputs.npy and targets.npy."""

    seed: int
    adam_steps: int
    lbfgs_steps: int
    output: Path

    @classmethod
    def from_command_line(cls, description: str, file: str, *, adam_steps: int, lbfgs_steps: int) -> TrainingScript:
        """Of the script in `file`, which says what it does in the first line of its description. Steps: unless told."""
        parser = argparse.ArgumentParser(description=description.splitlines()[0])
        parser.add_argument("--seed", type=int, default=0, help="of the samples and the start (default 0)")
        parser.add_argument("--adam-steps", type=int, default=adam_steps, help=f"(default {adam_steps})")
        parser.add_argument("--lbfgs-steps", type=int, default=lbfgs_steps, help=f"(default {lbfgs_steps})")
        here = Path(file).resolve().parent
        parser.add_argument("--output", type=Path, default=here, help="folder for the three files (default: this one)")
        return cls(**vars(parser.parse_args()))

    def begin(self) -> np.random.Generator:
        """Makes everything repeatable: one thread, deterministic algorithms, torch's seed, and this generator."""
        torch.set_num_threads(1)
        torch.use_deterministic_algorithms(True)
        torch.manual_seed(self.seed)
        return np.random.default_rng(self.seed)

    def fit(
        self,
        model: Network,
        inputs: Tensor,
        targets: Tensor,
        *,
        learning_rate: float = 0.01,
        penalty: Callable[[], Tensor] | None = None,
    ) -> float:
        """`kanspice.families.common.training.fit` with the steps that the script was told."""
        steps = {"adam_steps": self.adam_steps, "lbfgs_steps": self.lbfgs_steps}
        return fit(model, inputs, targets, learning_rate=learning_rate, penalty=penalty, **steps)

    def write(self, model: Network, test_inputs: Tensor, test_targets: Tensor) -> None:
        """Writes the model, and samples (samples, width) that its training never saw."""
        self.output.mkdir(parents=True, exist_ok=True)
        save(model, self.output / "model.pt")
        np.save(self.output / "inputs.npy", test_inputs.numpy())
        np.save(self.output / "targets.npy", test_targets.numpy())
