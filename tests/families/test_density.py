"""Log-densities of networks that generate, against closed forms and the authors' augmented pass."""

import numpy as np
import pytest
import torch

from kanspice.families import load
from kanspice.families.kirchhoffnet.branches import Conductance, DeviceBranch, branch_function
from kanspice.families.kirchhoffnet.density import log_densities, log_densities_at
from kanspice.families.kirchhoffnet.generation import Generation
from kanspice.families.kirchhoffnet.network import KirchhoffNet
from kanspice.families.kirchhoffnet.topology import FullyConnected, topology_from_edges

pytestmark = pytest.mark.slow

POINTS = np.random.default_rng(0).normal(size=(5, 2))


def normal(points, covariance):
    solved = np.linalg.solve(covariance, points.T).T
    return -0.5 * np.sum(points * solved, axis=1) - 0.5 * np.linalg.slogdet(2 * np.pi * covariance)[1]


def test_a_linear_network_makes_a_normal_distribution():
    """Conductances of 0.3 between the nodes, of 0.5 from node 1 to ground; one from a node to itself does nothing."""
    edges = topology_from_edges([(1, 2), (1, 0), (2, 2)])
    theta = torch.tensor([[0.3, 0.5, 7.0]])
    model = KirchhoffNet([edges], [1.5], Conductance(), generation=Generation(), thetas=[theta])
    values, vectors = np.linalg.eigh(1.5 * np.array([[-0.8, 0.3], [0.3, -0.3]]))
    through = vectors @ np.diag(np.exp(values)) @ vectors.T
    made = POINTS @ through.T
    expected = normal(made, through @ through.T)
    np.testing.assert_allclose(log_densities(model, POINTS), expected, atol=1e-7)
    np.testing.assert_allclose(log_densities_at(model, made), expected, atol=1e-7)


@pytest.mark.parametrize("law", ["ShiftTanh1", "ShiftTanh2", "Device"])
def test_the_divergence_is_the_trace_of_the_jacobian(law):
    """What density becomes over a short time, against the determinant of the map found by differences."""
    topology = FullyConnected(num_node=3).build()
    branch = DeviceBranch(negation=True, activation="softplus") if law == "Device" else branch_function(law, {}, "here")
    theta = 0.4 * torch.randn(branch.rows, topology.edges, generator=torch.Generator().manual_seed(1))
    model = KirchhoffNet([topology], [0.5], branch, generation=Generation(), thetas=[theta]).eval()

    def through(points):
        with torch.no_grad():
            return model(torch.from_numpy(points)).numpy()

    step = 1e-4
    columns = [(through(POINTS + step * unit) - through(POINTS - step * unit)) / (2 * step) for unit in np.eye(2)]
    expected = normal(POINTS, np.eye(2)) - np.log(np.abs(np.linalg.det(np.stack(columns, axis=2))))
    found = log_densities(model, POINTS)
    np.testing.assert_allclose(found, expected, atol=1e-5)
    np.testing.assert_allclose(log_densities_at(model, through(POINTS)), found, atol=1e-5)


def test_points_that_come_from_nowhere_have_no_density():
    """Backwards, a leaky node grows: from 1e9 it leaves all bounds, and the other sample is not touched by that."""
    model = KirchhoffNet(
        [topology_from_edges([(1, 0)])], [1.0], Conductance(), generation=Generation(), thetas=[torch.ones(1, 1)]
    )
    found = log_densities_at(model, np.array([[1e9], [0.5]]))
    assert np.isnan(found[0])
    assert found[1] == pytest.approx(normal(np.array([[0.5 * np.e]]), np.eye(1))[0] + 1.0)


@pytest.mark.reference_data
@pytest.mark.parametrize("name", ["twomoon", "potential2"])
def test_published_generators_have_the_authors_log_densities(reference_data, name):
    folder = reference_data / "kirchhoffnet" / name
    model = load(folder / "model.pth", folder / "config.yaml").model
    inputs, outputs = (np.load(folder / f"{which}.npy")[:20] for which in ("inputs", "outputs"))
    expected = np.load(folder / "log_density.npy")[:20]
    np.testing.assert_allclose(log_densities(model, inputs), expected, atol=2e-6)  # measured over all 50: 5e-7
    np.testing.assert_allclose(log_densities_at(model, outputs), expected, atol=1e-4)  # measured: 2e-5
