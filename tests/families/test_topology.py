"""Every topology against hand-written edge lists, and against the plain loops that the format's description spells."""

import time

import numpy as np
import pytest

from kanspice.base.errors import InputError
from kanspice.families.kirchhoffnet.topology import MAX_EDGES, RECIPES, Topology, recipe, topology_from_edges


def built(name, **args):
    return recipe(name, args, "config.yaml").build()


def edges(topology):
    return list(zip(topology.source.tolist(), topology.destination.tolist(), strict=True))


def refused(name, args, *parts):
    with pytest.raises(InputError) as caught:
        recipe(name, args, "config.yaml").build()
    for part in parts:
        assert part in str(caught.value), str(caught.value)


# --- the description, as plain loops ---


def fully_connected(nodes, repeat):
    found = []
    for i in nodes:
        for j in nodes:
            if i != j:
                found += [(i, j)] * repeat[0] + [(j, i)] * repeat[1]
    return found


def neighbors(c, w, h, kernel, *, padding=False, repeat=1):
    """Edges and, for each, the number of its pair of places in the kernel."""
    grid = np.arange(1, 1 + c * w * h).reshape(c, w, h)
    margin = kernel - 1 if padding else 0
    grid = np.pad(grid, ((0, 0), (margin, margin), (margin, margin)))
    found, pairs = [], []
    for row in range(grid.shape[1] - kernel + 1):
        for column in range(grid.shape[2] - kernel + 1):
            place = grid[:, row : row + kernel, column : column + kernel].ravel().tolist()
            pair = 0
            for j in range(len(place)):
                for k in range(len(place)):
                    if j == k:
                        continue
                    if place[j] and place[k]:
                        found += [(place[j], place[k])] * repeat
                        pairs += [pair] * repeat
                    pair += 1
    return found, pairs


def mixed(c, w, h, kernel, *, projected, repeat, kernel_repeat=1):
    found, _ = neighbors(c, w, h, kernel, repeat=kernel_repeat)
    grid = c * w * h
    for n in range(1, grid + 1):
        found += [(n, 0)] * repeat[0] + [(0, n)] * repeat[1]
    for m in range(grid + 1, grid + 1 + projected):
        for i in range(grid + 1):
            found += [(i, m)] * repeat[0] + [(m, i)] * repeat[1]
    return found


# --- fully connected ---


def test_fully_connected_by_hand():
    topology = built("_fully_connect", num_node=3, repeat=[1, 1])
    assert edges(topology) == [
        *[(0, 1), (1, 0), (0, 2), (2, 0)],
        *[(1, 0), (0, 1), (1, 2), (2, 1)],
        *[(2, 0), (0, 2), (2, 1), (1, 2)],
    ]
    assert topology.parameter_index.tolist() == list(range(12))
    assert (topology.nodes, topology.edges, topology.parameters) == (2, 12, 12)


def test_fully_connected_without_ground_and_with_unequal_repeats():
    topology = built("_fully_connect", num_node=2, include_gnd=False, repeat=[2, 1])
    assert edges(topology) == [(1, 2), (1, 2), (2, 1), (2, 1), (2, 1), (1, 2)]
    assert topology.nodes == 2


@pytest.mark.parametrize("repeat", [[1, 1], [1, 0], [0, 2], [3, 2]])
@pytest.mark.parametrize(("include_gnd", "nodes"), [(True, range(5)), (False, range(1, 6))])
def test_fully_connected_is_the_loop(include_gnd, nodes, repeat):
    assert edges(built("_fully_connect", num_node=5, include_gnd=include_gnd, repeat=repeat)) == fully_connected(
        nodes, repeat
    )


def test_the_published_two_dimensional_layers_have_300_edges():
    assert built("_fully_connect", num_node=3, repeat=[25, 25]).edges == 300


# --- chain ---


def test_chain_by_hand():
    assert edges(built("_simple_connect", num_node=3)) == [(0, 1), (1, 2), (2, 3)]
    without_ground = built("_simple_connect", num_node=2, include_gnd=False, repeat=[2, 5])
    assert edges(without_ground) == [(1, 2), (1, 2), (2, 3), (2, 3)]


# --- neighbours ---


def test_neighbors_by_hand():
    topology = built("_neighbor_index", num_channel=1, width=2, height=3, neighbor_size=2)
    # the grid is 1 2 3 / 4 5 6; the kernel sees 1 2 4 5, then 2 3 5 6
    first = [(a, b) for a in (1, 2, 4, 5) for b in (1, 2, 4, 5) if a != b]
    second = [(a, b) for a in (2, 3, 5, 6) for b in (2, 3, 5, 6) if a != b]
    assert edges(topology) == first + second
    assert topology.parameter_index.tolist() == list(range(24))


def test_neighbors_of_two_channels_by_hand():
    topology = built("_neighbor_index", num_channel=2, width=1, height=2, neighbor_size=1, repeat=2)
    assert edges(topology) == [(1, 3), (1, 3), (3, 1), (3, 1), (2, 4), (2, 4), (4, 2), (4, 2)]


def test_neighbors_with_padding_by_hand():
    topology = built("_neighbor_index", num_channel=1, width=1, height=2, neighbor_size=2, padding=True)
    # 3 x 4 places around the grid 1 2; of the 2 x 3 positions only the middle ones see both nodes, in one row each
    assert edges(topology) == [(1, 2), (2, 1), (1, 2), (2, 1)]


@pytest.mark.parametrize("padding", [False, True])
@pytest.mark.parametrize("repeat", [1, 3])
@pytest.mark.parametrize("shape", [(1, 4, 4, 2), (1, 3, 5, 3), (3, 3, 4, 2), (2, 3, 3, 1)])
def test_neighbors_are_the_loop(shape, repeat, padding):
    arguments = dict(zip(("num_channel", "width", "height", "neighbor_size"), shape, strict=True))
    found, pairs = neighbors(*shape, padding=padding, repeat=repeat)
    own = built("_neighbor_index", **arguments, repeat=repeat, padding=padding)
    assert edges(own) == found
    assert own.parameter_index.tolist() == list(range(len(found)))
    shared = built("_neighbor_index", **arguments, repeat=repeat, padding=padding, sharing=True)
    assert edges(shared) == found
    assert shared.parameter_index.tolist() == pairs


def test_sharing_reuses_parameters_at_every_position():
    topology = built("_neighbor_index", num_channel=1, width=4, height=4, neighbor_size=2, sharing=True)
    assert (topology.edges, topology.parameters) == (9 * 12, 12)
    assert topology.unshared().parameters == 9 * 12


@pytest.mark.parametrize(("parallel", "shifts"), [(1, [0]), (2, [0, 1]), (3, [0, 1, 2, 3])])
def test_parallel_stacks_shifted_copies(parallel, shifts):
    shape = {"num_channel": 1, "width": 2, "height": 3, "neighbor_size": 2}
    one = built("_neighbor_index", **shape)
    stacked = built("_neighbor_index", **shape, parallel=parallel)
    assert edges(stacked) == [(a + 6 * shift, b + 6 * shift) for shift in shifts for a, b in edges(one)]
    assert stacked.parameter_index.tolist() == list(range(len(shifts) * one.edges))
    shared = built("_neighbor_index", **shape, parallel=parallel, sharing=True)
    assert shared.parameters == len(shifts) * 12


# --- mixed ---


def test_mixed_by_hand():
    shape = {"num_channel": 2, "width": 1, "height": 1, "neighbor_size": 1}
    topology = built("_mix_connect", **shape, fully_connect_node=1, repeat=[1, 1])
    assert edges(topology) == [
        *[(1, 2), (2, 1)],
        *[(1, 0), (0, 1), (2, 0), (0, 2)],
        *[(0, 3), (3, 0), (1, 3), (3, 1), (2, 3), (3, 2)],
    ]
    assert topology.nodes == 3


@pytest.mark.parametrize("repeat", [[1, 1], [1, 0], [2, 3]])
@pytest.mark.parametrize("projected", [0, 3])
def test_mixed_is_the_loop(repeat, projected):
    shape = {"num_channel": 2, "width": 3, "height": 4, "neighbor_size": 2}
    topology = built("_mix_connect", **shape, fully_connect_node=projected, repeat=repeat, kernel_repeat=2)
    assert edges(topology) == mixed(2, 3, 4, 2, projected=projected, repeat=repeat, kernel_repeat=2)


def test_mixed_shares_only_neighbor_edges():
    shape = {"num_channel": 1, "width": 3, "height": 3, "neighbor_size": 2}
    topology = built("_mix_connect", **shape, fully_connect_node=1, repeat=[1, 0], sharing=True)
    neighbor = built("_neighbor_index", **shape, sharing=True)
    rest = topology.edges - neighbor.edges
    assert topology.parameter_index.tolist() == [*neighbor.parameter_index.tolist(), *range(12, 12 + rest)]


def test_inputs_go_to_the_grid_and_not_to_projected_nodes():
    mix = recipe(
        "_mix_connect",
        {"num_channel": 1, "width": 3, "height": 3, "neighbor_size": 2, "fully_connect_node": 4, "repeat": [1, 1]},
        "x",
    )
    assert (mix.build().nodes, mix.inputs(mix.build())) == (13, 9)
    chain = recipe("_simple_connect", {"num_node": 3}, "x")
    assert chain.inputs(chain.build()) == 3


def test_the_published_mnist_layer_is_built_fast():
    shape = {"num_channel": 1, "width": 28, "height": 28, "neighbor_size": 4, "kernel_repeat": 1}
    start = time.perf_counter()
    topology = built("_mix_connect", **shape, fully_connect_node=50, repeat=[1, 1])
    assert time.perf_counter() - start < 1
    assert (topology.edges, topology.nodes) == (230_068, 834)
    assert edges(topology) == mixed(1, 28, 28, 4, projected=50, repeat=(1, 1))


# --- given edges ---


def test_pregiven_by_hand():
    topology = built(
        "_pregiven", source_edge_index=[[0, 1], [1, 2]], num_node_feature=1, repeat_within_layer=2, repeat_to_gnd=1
    )
    within = [(1, 2), (2, 3), (2, 1), (3, 2)]
    assert edges(topology) == [*within, *within, (0, 0), (0, 0), (1, 0), (0, 1), (2, 0), (0, 2)]


def test_pregiven_with_two_features_by_hand():
    topology = built("_pregiven", source_edge_index=[[0], [1]], num_node_feature=2, repeat_to_gnd=0)
    assert edges(topology) == [(1, 2), (2, 1), (3, 4), (4, 3), (1, 3), (2, 4)]


def test_a_given_edge_list():
    topology = topology_from_edges([(1, 2), (2, 0)])
    assert (edges(topology), topology.nodes, topology.parameters) == ([(1, 2), (2, 0)], 2, 2)


@pytest.mark.parametrize(
    ("given", "part"),
    [([1, 2], "shape (edges, 2)"), ([(1, 2, 3)], "shape (edges, 2)"), ([(0.5, 1)], "whole numbers"), ([(1, -1)], "-1")],
)
def test_an_edge_list_that_cannot_be_used(given, part):
    with pytest.raises(InputError, match="cannot be used") as caught:
        topology_from_edges(given)
    assert part in str(caught.value)


# --- what a topology is ---


def test_a_topology_cannot_be_changed_and_keeps_its_own_copy():
    source = np.array([1, 2])
    topology = Topology(source, np.array([2, 0]), np.array([0, 1]), 2)
    source[0] = 7
    assert topology.source.tolist() == [1, 2]
    with pytest.raises(ValueError, match="read-only"):
        topology.source[0] = 3


@pytest.mark.parametrize(
    ("arrays", "part"),
    [
        (([1, 2], [0], [0, 1]), "destination cannot be used"),
        (([1.0], [0], [0]), "source cannot be used"),
        (([], [], []), "source cannot be used"),
        (([1], [0], [-1]), "parameter_index cannot be used"),
        (([5], [0], [0]), "a node that does not exist"),
    ],
)
def test_arrays_that_are_no_graph(arrays, part):
    source, destination, index = (np.array(a) if a else np.zeros(0, np.int64) for a in arrays)
    with pytest.raises(InputError, match=part):
        Topology(source, destination, index, 4)


# --- what is refused ---


def test_unknown_topology():
    refused("_fully_conect", {}, "config.yaml: unknown topology", "'_fully_conect'", "did you mean '_fully_connect'?")


@pytest.mark.parametrize(
    ("args", "parts"),
    [
        ({}, ("bad value for 'num_node'", "Field required")),
        ({"num_node": 0}, ("'num_node'", "greater than or equal to 1")),
        ({"num_node": True}, ("'num_node'",)),
        ({"num_node": 3.5}, ("'num_node'",)),
        ({"num_node": "3"}, ("'num_node'",)),
        ({"num_node": 3, "repeat": [1]}, ("'repeat.1'",)),
        ({"num_node": 3, "repeat": [1, -1]}, ("'repeat.1'", "-1")),
        ({"num_node": 3, "repeat": 2}, ("'repeat'",)),
        ({"num_node": 3, "include_gnd": "yes"}, ("'include_gnd'",)),
        ({"num_node": 3, "num_nodes": 3}, ("unknown key 'num_nodes'", "did you mean 'num_node'?")),
        ({"num_node": 3, "repeat": [0, 0]}, ("the topology has no edges", "repeat")),
        ({"num_node": 1}, ("the topology has no edges",)),
        ({"num_node": 10_000}, ("the topology is too large", f"{MAX_EDGES:,}", "200,000,000")),
    ],
)
def test_arguments_that_cannot_be_used(args, parts):
    refused("_fully_connect", args, *parts)


def test_a_kernel_that_does_not_fit():
    refused(
        "_neighbor_index",
        {"num_channel": 1, "width": 2, "height": 2, "neighbor_size": 3},
        "no edges",
        "kernel fits the grid",
    )


@pytest.mark.parametrize("name", ["_neighbor_index", "_mix_connect"])
@pytest.mark.parametrize(
    "huge", [{"width": 10**6, "height": 10**6}, {"num_channel": 10**6}, {"neighbor_size": 10**6, "padding": True}]
)
def test_absurd_sizes_are_refused_before_anything_is_built(name, huge):
    args = {"num_channel": 1, "width": 50, "height": 50, "neighbor_size": 3} | huge
    refused(name, args | ({"fully_connect_node": 1} if name == "_mix_connect" else {}), "too large")


@pytest.mark.parametrize("given", [[[0], [1, 2]], [[], []]])
def test_pregiven_edges_that_do_not_pair(given):
    refused("_pregiven", {"source_edge_index": given, "num_node_feature": 1}, "source_edge_index", "as many sources")


def test_every_topology_of_the_format_is_known():
    assert set(RECIPES) == {"_fully_connect", "_neighbor_index", "_mix_connect", "_simple_connect", "_pregiven"}
