"""Trains a small network on a saddle, and writes what `kanspice verify` needs: the network and samples."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from kanspice_varistor.network import VaristorNet

import kanspice

HERE = Path(__file__).resolve().parent


def main() -> None:
    torch.manual_seed(0)
    inputs = torch.rand(200, 2, dtype=torch.float64) * 2 - 1
    targets = inputs[:, :1] * inputs[:, 1:]
    model = VaristorNet([2, 8, 1])
    loss = kanspice.fit(model, inputs, targets, adam_steps=200, lbfgs_steps=50)
    print(f"mean squared error {loss:.2e}")
    kanspice.save(model.eval(), HERE / "model.pt")
    torch.save(model.state_dict(), HERE / "state.pt")
    np.save(HERE / "inputs.npy", inputs[:20].numpy())


if __name__ == "__main__":
    main()
