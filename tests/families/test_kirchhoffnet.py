"""KirchhoffNet against exact solutions: linear circuits by the matrix exponential, single branches by hand."""

import itertools
import math

import numpy as np
import pytest
import torch
from scipy.linalg import expm

from kanspice.base.errors import InputError
from kanspice.families.common.following import reference_stages
from kanspice.families.common.network import DivergenceError
from kanspice.families.kirchhoffnet.arrays import reference_waveforms
from kanspice.families.kirchhoffnet.branches import branch_function
from kanspice.families.kirchhoffnet.integrator import Integrator
from kanspice.families.kirchhoffnet.network import KirchhoffNet
from kanspice.families.kirchhoffnet.topology import Topology, recipe, topology_from_edges

TANH2 = branch_function("ShiftTanh2", {}, "test")
CONDUCTANCE = branch_function("Conductance", {}, "test")
RC = topology_from_edges([(1, 0)])


def randn(*shape, seed=0):
    return torch.randn(shape, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))


def full(nodes, repeat=1):
    """All pairs of ground and this many nodes."""
    return recipe("_fully_connect", {"num_node": nodes + 1, "repeat": [repeat, repeat]}, "test").build()


def conductances(topology, duration, values, **options):
    return KirchhoffNet([topology], [duration], CONDUCTANCE, thetas=[torch.as_tensor(values)[None]], **options).eval()


def network(*nodes, seed=3, **options):
    """Layers of this many nodes, fully connected by random tanh branches."""
    topologies = [full(n) for n in nodes]
    thetas = [0.4 * randn(3, t.parameters, seed=seed + m) for m, t in enumerate(topologies)]
    durations = [0.3 + 0.1 * m for m in range(len(nodes))]
    return KirchhoffNet(topologies, durations, TANH2, thetas=thetas, **options).eval()


def linear_matrix(topology, values):
    """dv/dt = A v, including ground's row and column."""
    matrix = np.zeros((topology.nodes + 1, topology.nodes + 1))
    for s, d, g in zip(topology.source, topology.destination, values, strict=True):
        matrix[[d, d, s, s], [s, d, s, d]] += np.array([g, -g, -g, g])
    return matrix[1:, 1:]


def refused(make, *parts):
    with pytest.raises(InputError) as caught:
        make()
    for part in parts:
        assert part in str(caught.value), str(caught.value)


# --- exact solutions ---


def test_rc_discharge():
    """One conductance to ground: v = v0 exp(-g t)."""
    model = conductances(RC, 2.0, [0.7])
    v0 = torch.tensor([[1.0], [-3.0]], dtype=torch.float64)
    torch.testing.assert_close(model(v0), v0 * math.exp(-1.4), rtol=1e-7, atol=0)


def test_linear_network_is_the_matrix_exponential():
    topology = full(5)
    values = randn(topology.edges).abs().numpy()
    model = conductances(topology, 0.8, values)
    v0 = randn(6, 5, seed=1)
    exact = v0.numpy() @ expm(0.8 * linear_matrix(topology, values)).T
    with torch.no_grad():
        np.testing.assert_allclose(model(v0).numpy(), exact, rtol=0, atol=1e-7 * np.abs(exact).max())


def test_single_tanh_branch():
    """dv/dt = -tanh(v): sinh(v) = sinh(v0) exp(-t)."""
    branch = branch_function("ShiftTanh1", {}, "test")
    model = KirchhoffNet([RC], [1.5], branch, thetas=[torch.tensor([[0.0], [1.0]])]).eval()
    v0 = randn(20, 1)
    torch.testing.assert_close(model(v0), torch.asinh(torch.sinh(v0) * math.exp(-1.5)), rtol=1e-7, atol=1e-8)


def test_charge_between_nodes_is_kept():
    """Without branches to ground the sum of all node voltages does not change (Kirchhoff's current law)."""
    topology = recipe("_fully_connect", {"num_node": 4, "include_gnd": False}, "test").build()
    model = KirchhoffNet([topology], [1.0], TANH2, thetas=[randn(3, topology.parameters)]).eval()
    v0 = randn(7, 4, seed=2)
    torch.testing.assert_close(model(v0).sum(dim=1), v0.sum(dim=1), rtol=1e-12, atol=1e-12)


def test_the_right_hand_side_is_the_sum_over_edges():
    layer = network(3).layers[0]
    v = randn(4, 3, seed=9)
    expected = torch.zeros(4, 4, dtype=torch.float64)
    grounded = torch.cat([torch.zeros(4, 1, dtype=torch.float64), v], dim=1)
    for edge, (s, d) in enumerate(zip(layer.topology.source, layer.topology.destination, strict=True)):
        p = layer.theta[:, edge]
        current = torch.tanh(p[0] * grounded[:, s] + p[1] * grounded[:, d] + p[2])
        expected[:, d] += current
        expected[:, s] -= current
    torch.testing.assert_close(layer(torch.zeros(()), v), expected[:, 1:], rtol=1e-13, atol=1e-13)


def test_edges_that_share_parameters():
    shared = Topology(*(np.array(a) for a in ([1, 2, 1], [0, 0, 2], [0, 0, 1])), 2)
    own = Topology(shared.source, shared.destination, np.arange(3), 2)
    v0 = randn(4, 2)
    assert torch.equal(conductances(shared, 1.0, [0.5, 0.2])(v0), conductances(own, 1.0, [0.5, 0.5, 0.2])(v0))


# --- layers ---


def test_layers_follow_each_other():
    model = network(3, 3)
    first = KirchhoffNet([full(3)], [model.durations[0]], TANH2, thetas=[model.layers[0].theta.detach()])
    second = KirchhoffNet([full(3)], [model.durations[1]], TANH2, thetas=[model.layers[1].theta.detach()])
    x = randn(4, 3)
    stages = model.stages(x)
    assert list(stages) == ["l1.period", "l2.period", "readout"]
    assert torch.equal(stages["l1.period"], first(x))
    assert torch.equal(stages["l2.period"], second(first(x)))
    assert torch.equal(stages["readout"], model(x))


@pytest.mark.parametrize(
    ("fill", "expected"), [("zeros", [1.0, 2.0, 0.0, 0.0, 0.0]), ("repeat", [1.0, 2.0, 1.0, 2.0, 1.0])]
)
def test_fill(fill, expected):
    """With no current the nodes keep the voltages that they start with."""
    model = conductances(full(5), 1.0, torch.zeros(full(5).edges), input_width=2, fill=fill)
    x = torch.tensor([[1.0, 2.0]], dtype=torch.float64)
    assert model(x).tolist() == [expected]
    assert (model.input_width, model.widths, model.output_width) == (2, (2, 5), 5)


def test_nodes_come_and_go_between_layers():
    model = network(4, 2, 5)
    stages = model.stages(randn(3, 4))
    assert [stage.shape[1] for stage in stages.values()] == [4, 2, 5, 5]
    last = KirchhoffNet([full(5)], [model.durations[2]], TANH2, thetas=[model.layers[2].theta.detach()])
    assert torch.equal(stages["readout"], last(torch.nn.functional.pad(stages["l2.period"], (0, 3))))


def test_residual():
    model = network(3, 3, 3, residual=(1, 2))
    stages = model.stages(randn(4, 3))
    assert list(stages) == ["l1.period", "l2.period", "l2.residual", "l3.period", "readout"]
    assert torch.equal(stages["l2.residual"], stages["l2.period"] + stages["l1.period"])
    last = KirchhoffNet([full(3)], [model.durations[2]], TANH2, thetas=[model.layers[2].theta.detach()])
    assert torch.equal(stages["readout"], last(stages["l2.residual"]))


def test_residual_of_the_last_layer_is_read_out():
    stages = network(3, 3, residual=(1, 2), readout="last2").stages(randn(4, 3))
    assert torch.equal(stages["readout"], stages["l2.residual"][:, 1:])


@pytest.mark.parametrize(("readout", "nodes"), [("all", [0, 1, 2]), ("first2", [0, 1]), ("last1", [2])])
def test_readout(readout, nodes):
    model = network(3, readout=readout)
    stages = model.stages(randn(4, 3))
    assert torch.equal(stages["readout"], stages["l1.period"][:, nodes])
    assert model.output_width == len(nodes)


# --- trajectories ---


def test_trajectory_of_an_rc_discharge():
    times = torch.linspace(0, 2, 9, dtype=torch.float64)
    v0 = torch.tensor([[1.0], [2.0]], dtype=torch.float64)
    with torch.no_grad():
        voltages = conductances(RC, 2.0, [0.7]).trajectory(v0, times)
    assert voltages.shape == (9, 2, 1)
    torch.testing.assert_close(voltages[:, :, 0], torch.exp(-0.7 * times)[:, None] * v0[:, 0], rtol=1e-6, atol=0)


def test_trajectory_passes_through_the_stages():
    model = network(4, 2, 5)
    x = randn(3, 4)
    ends = torch.tensor([0.0, *itertools.accumulate(model.durations)], dtype=torch.float64)
    with torch.no_grad():
        stages, voltages = model.stages(x), model.trajectory(x, ends)
    assert torch.equal(voltages[0, :, :4], x)
    for index, width in enumerate((4, 2, 5)):
        reached = voltages[index + 1, :, :width]
        torch.testing.assert_close(reached, stages[f"l{index + 1}.period"], rtol=0, atol=1e-12)
        assert voltages[index + 1, :, width:].isnan().all()


def test_trajectory_at_repeated_times():
    times = torch.tensor([0.1, 0.1, 0.3, 0.3], dtype=torch.float64)
    voltages = network(3, 3).trajectory(randn(2, 3), times)
    assert torch.equal(voltages[0], voltages[1])
    assert torch.equal(voltages[2], voltages[3])


def test_periods_begin_where_the_one_before_ends_and_new_nodes_are_filled():
    model = network(4, 2, 5, fill="repeat")
    x = randn(3, 4)
    times = [torch.tensor([0.0, d / 2, d, d], dtype=torch.float64) for d in model.durations]
    with torch.no_grad():
        first, second, third = model.period_trajectories(x, times)
        stages = model.stages(x)
        halfway = model.trajectory(x, times[0][1:2])
    assert torch.equal(first[0], x)
    assert torch.equal(second[0], first[-1][:, :2])
    assert torch.equal(third[0], second[-1][:, [0, 1, 0, 1, 0]])
    torch.testing.assert_close(halfway[0, :, :4], first[1], rtol=0, atol=1e-7)
    for index, found in enumerate((first, second, third), start=1):
        assert torch.equal(found[2], found[3])
        torch.testing.assert_close(found[-1], stages[f"l{index}.period"], rtol=0, atol=1e-7)


def test_waveforms_of_one_sample_are_those_of_its_periods():
    """Times that rounding puts before a period's beginning, or after its end, are taken as there."""
    model = network(3, 2)
    sample = randn(1, 3).numpy()[0]
    times = {"l1.period": np.array([-1e-17, 0.1, 0.3 + 1e-16]), "l2.period": np.array([0.0, 0.4])}
    found = reference_waveforms(model, sample, times)
    np.testing.assert_array_equal(found["l1.period"][0], sample)
    np.testing.assert_array_equal(found["l2.period"][0], found["l1.period"][-1, :2])
    stages = reference_stages(model, sample[None])
    for name, voltages in found.items():
        np.testing.assert_allclose(voltages[-1], stages[name][0], rtol=0, atol=1e-7)


@pytest.mark.parametrize(
    ("times", "part"),
    [([], "shape"), ([[0.1]], "shape"), ([-0.1], "-0.1"), ([0.1, 9.0], "9"), ([0.2, 0.1], "decrease")],
)
def test_times_that_cannot_be_used(times, part):
    model = network(3)
    refused(lambda: model.trajectory(randn(2, 3), torch.tensor(times)), "the times cannot be used", part)
    refused(lambda: model.period_trajectories(randn(2, 3), [torch.tensor(times)]), "the times cannot be used", part)


def test_times_that_are_no_numbers():
    model = network(3)
    refused(lambda: model.trajectory(randn(2, 3), torch.tensor([math.nan])), "the times cannot be used")


# --- samples ---


def test_samples_do_not_disturb_each_other_beyond_the_tolerance(monkeypatch):
    model, x = network(4, 4), randn(30, 4)
    with torch.no_grad():
        together = model(x)
        monkeypatch.setattr("kanspice.families.kirchhoffnet.network._BLOCK_CURRENTS", 7 * full(4).edges)
        assert [len(block) for _, block in model._blocks(x)] == [7, 7, 7, 7, 2]
        torch.testing.assert_close(model(x), together, rtol=0, atol=1e-6)


def test_no_samples():
    model = network(4, 2)
    for stage, width in zip(model.stages(torch.zeros(0, 4)).values(), (4, 2, 2), strict=True):
        assert stage.shape == (0, width)


def test_float32_inputs_are_widened():
    model, x = network(3), randn(2, 3).float()
    assert torch.equal(model(x), model(x.double()))


@pytest.mark.slow
def test_tighter_tolerances_come_closer():
    topology = full(4)
    values = randn(topology.edges).abs().numpy()
    exact = randn(3, 4, seed=1).numpy() @ expm(linear_matrix(topology, values)).T
    errors = []
    for tolerance in (1e-3, 1e-6, 1e-9):
        model = conductances(topology, 1.0, values, integrator=Integrator(rtol=tolerance, atol=tolerance))
        errors.append(np.abs(model(randn(3, 4, seed=1)).detach().numpy() - exact).max())
    assert errors[0] > 10 * errors[1] > 100 * errors[2]


def test_reference_stages_are_arrays():
    model, x = network(3, 3), randn(5, 3)
    stages = reference_stages(model, x.numpy())
    assert list(stages) == ["l1.period", "l2.period", "readout"]
    assert stages["readout"].dtype == np.float64
    with torch.no_grad():
        np.testing.assert_array_equal(stages["readout"], model(x).numpy())


# --- training ---


@pytest.mark.slow
def test_adjoint_gradients_are_those_of_finite_differences():
    model, x = network(3, 2), randn(4, 3)
    model(x).square().sum().backward()
    for layer, edge in ((0, 4), (1, 3)):
        theta = model.layers[layer].theta
        losses = []
        for step in (1e-4, -1e-4):
            with torch.no_grad():
                theta[1, edge] += step
                losses.append(float(model(x).square().sum()))
                theta[1, edge] -= step
        assert float(theta.grad[1, edge]) == pytest.approx((losses[0] - losses[1]) / 2e-4, rel=1e-4)


@pytest.mark.slow
def test_training_reduces_the_loss():
    torch.manual_seed(0)
    loose = Integrator(rtol=1e-3, atol=1e-3)
    model = KirchhoffNet([full(3, repeat=2)], [1.0], TANH2, input_width=2, readout="last1", integrator=loose)
    x = randn(32, 2)
    target = torch.sin(x[:, :1]) * x[:, 1:]
    optimizer = torch.optim.Adam(model.parameters(), lr=0.05)
    losses = []
    for _ in range(25):
        optimizer.zero_grad()
        loss = (model(x) - target).square().mean()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert losses[-1] < 0.5 * losses[0]


def test_fresh_parameters_have_the_authors_spread():
    torch.manual_seed(0)
    model = KirchhoffNet([full(30)], [1.0], TANH2)
    theta = model.layers[0].theta
    assert theta.std().item() == pytest.approx((2 / theta.shape[1]) ** 0.5, rel=0.05)


# --- what is refused ---


def test_wrong_inputs():
    model = network(3)
    refused(lambda: model(randn(2, 4)), "KirchhoffNet.stages", "(samples, 3)", "(2, 4)")
    refused(lambda: model(randn(3)), "reshape one sample")
    refused(lambda: model(torch.zeros(2, 3, dtype=torch.int64)), "floating point", "int64")
    refused(lambda: model.trajectory(randn(2, 4), torch.zeros(1)), "KirchhoffNet.trajectory", "(2, 4)")


@pytest.mark.parametrize(
    ("durations", "part"),
    [([], "0 duration(s)"), ([1.0, 2.0], "2 duration(s)"), ([0.0], "0.0"), ([-1.0], "-1.0"), ([math.inf], "inf")],
)
def test_durations_that_cannot_be_used(durations, part):
    refused(lambda: KirchhoffNet([RC], durations, CONDUCTANCE), "cannot be used", part)


def test_a_network_without_layers():
    refused(lambda: KirchhoffNet([], [], CONDUCTANCE), "one layer or more", "0 layer(s)")


@pytest.mark.parametrize(
    ("options", "parts"),
    [
        ({"fill": "ones"}, ("unknown fill", "zeros, repeat", "'ones'")),
        ({"readout": "mlp_3_4"}, ("unknown read-out", "last<n>", "'mlp_3_4'")),
        ({"readout": "last0"}, ("does not fit the last layer", "1 to 3", "'last0'")),
        ({"readout": "first4"}, ("does not fit the last layer", "'first4'")),
        ({"residual": (2, 1)}, ("residual's layers", "1 to 2", "2 and 1")),
        ({"residual": (1, 3)}, ("residual's layers", "1 and 3")),
        ({"residual": (1, 2)}, ("same number of nodes", "2 in layer 1, 3 in layer 2")),
        ({"input_width": 0}, ("number of inputs", "0")),
        ({"thetas": [torch.zeros(3, 6)]}, ("parameters do not fit", "(3, 6)")),
    ],
)
def test_options_that_cannot_be_used(options, parts):
    refused(lambda: KirchhoffNet([full(2), full(3)], [1.0, 1.0], TANH2, **options), *parts)


@pytest.mark.parametrize("options", [{"method": "euler"}, {"rtol": 0.0}, {"atol": math.nan}, {"max_steps": 0}])
def test_integrators_that_cannot_be_used(options):
    refused(lambda: Integrator(**options), str(next(iter(options.values()))))


def test_a_sample_that_diverges_is_named():
    """dv/dt = 100 v (v > 0) leaves the range of numbers; v <= 0 stays."""
    branch = branch_function("ShiftRelu2", {}, "test")
    amplifier = KirchhoffNet(
        [topology_from_edges([(0, 1)])], [1.0], branch, thetas=[torch.tensor([[0.0], [100.0], [0.0]])]
    ).eval()
    x = torch.tensor([[-1.0], [0.0], [1e306], [1e307]], dtype=torch.float64)
    with torch.no_grad(), pytest.raises(DivergenceError, match=r"sample 2, layer 1: .*cannot be followed") as caught:
        amplifier(x)
    assert caught.value.exit_code == 3
    assert amplifier(x[:2]).tolist() == [[-1.0], [0.0]]


@pytest.mark.slow
def test_too_many_steps():
    stiff = conductances(RC, 1.0, [1e5], integrator=Integrator(max_steps=50))
    with pytest.raises(DivergenceError, match="at most 50 steps"):
        stiff(torch.ones(1, 1))
