"""Whole modules of the PhyKAN authors: which class is recognised, what is read, and that nothing in them is run."""

import json
import pickle

import numpy as np
import pytest
import torch
from authors_modules import PhyKAN, PhyKAN_actor, PhyKAN_robotics, attributes, tables, torch_file
from test_phykan import complex_outputs
from test_phykan_authors import CONFIG, X, norm_tensors, tensors

from kanspice.base.errors import InputError
from kanspice.families import load
from kanspice.families.common.following import reference_stages

SHAPE = [3, 4, 2]
EARLIER = {
    "frequency_offset": 3.69,
    "frequency_span": 2.0,
    "clock_hz": None,
    "gain_span": 10.0,
    "cutoff_offset": 3.5,
    "cutoff_span": 3.0,
}


def saved(tmp_path, module):
    torch.save(module, tmp_path / "module.pt")
    return tmp_path / "module.pt"


def loaded(tmp_path, class_=PhyKAN, state=None, **others):
    return load(saved(tmp_path, class_(**attributes(tensors() | (state or {}), SHAPE, **others))))


def plain(tmp_path, state=None, **config):
    """What the same tensors are when they are given plain."""
    torch.save(tensors() | (state or {}), tmp_path / "plain.pt")
    (tmp_path / "config.json").write_text(json.dumps(CONFIG | config))
    return load(tmp_path / "plain.pt", tmp_path / "config.json")


def refused(path, *parts, config=None):
    with pytest.raises(InputError) as caught:
        load(path, config)
    for part in parts:
        assert part in str(caught.value), str(caught.value)
    assert len(str(caught.value)) < 2000


def same(one, other):
    first, second = (reference_stages(model.model, X) for model in (one, other))
    return all(np.array_equal(first[name], values) for name, values in second.items())


def test_their_earlier_class_has_no_tables_and_other_constants(tmp_path):
    module = loaded(tmp_path)
    assert same(module, plain(tmp_path, constants=EARLIER, first_cutoff="high_pass"))
    (note,) = module.notes
    assert "it is the earlier class" in note
    assert "10^(3.69 + 2 s) without a clock, gain 10 (p - 0.5), cut-offs 10^(3.5 + 3 p), the high-pass" in note
    assert (module.family, module.format) == ("phykan", "phykan-authors")


def test_the_class_for_the_array_has_tables(tmp_path):
    module = loaded(tmp_path, **tables(), thresholding=True)
    assert same(module, plain(tmp_path, thresholding=True))
    about, assumed = module.notes
    assert "the class for the array" in about
    assert "clocked at 4e+06 Hz" in about
    assert "inputs are squashed" in assumed


def test_an_actor_keeps_its_critic(tmp_path):
    critic = PhyKAN(**attributes(tensors(1), SHAPE, **tables()))
    module = loaded(tmp_path, PhyKAN_actor, **tables(), load_model=critic)
    assert same(module, plain(tmp_path))


def test_the_class_with_batch_norm_limits_what_it_squashes(tmp_path):
    state = norm_tensors() | {"filter_params.0": 20 * tensors()["filter_params.0"]}
    module = loaded(tmp_path, state=state, **tables(), batch_norm=True)
    assert same(module, plain(tmp_path, state, constants={"squash_limit": 10.0}))
    assert not same(module, plain(tmp_path, state))
    assert any("batch norm is that after training" in note for note in module.notes)


def test_a_batch_norm_that_was_switched_off_is_left_out(tmp_path):
    module = loaded(tmp_path, state=norm_tensors(), **tables(), batch_norm=False)
    assert same(module, plain(tmp_path, constants={"squash_limit": 10.0}))
    assert any("switched off in training" in note for note in module.notes)


def test_what_the_module_does_not_say_is_in_a_configuration(tmp_path):
    path = saved(tmp_path, PhyKAN(**attributes(tensors(), SHAPE, **tables())))
    (tmp_path / "module.json").write_text('{"input_sigmoid": false, "task": "six axes"}')
    module = load(path, tmp_path / "module.json")
    assert same(module, plain(tmp_path, input_sigmoid=False))
    assert module.task == "six axes"
    assert not any("inputs are squashed" in note for note in module.notes)
    (tmp_path / "module.json").write_text('{"sigmoid_s": 0.5}')
    refused(path, "unknown key 'sigmoid_s'", config=tmp_path / "module.json")


@pytest.mark.parametrize(
    ("others", "parts"),
    [
        ({"parameter_noise": 1e-5}, ["not one of the authors' that kanspice knows", "with parameter_noise"]),
        ({"low_pass_lookup": torch.ones(2)}, ["with low_pass_lookup"]),
        ({"norm_scalings": []}, ["with norm_scalings"]),
        ({"Nlayers": 1}, ["'Nlayers' contradicts 'KANshape'", "found:    1"]),
        ({"Nlayers": "2"}, ["'Nlayers' cannot be used"]),
        ({"KANshape": (3, 4, 2)}, ["'KANshape' cannot be used", "a list of widths", "tuple"]),
        ({"KANshape": [3, 5, 2]}, ["'KANshape' contradicts the tensors"]),
        ({"KANshape": [3, 4.0, 2]}, ["'KANshape' cannot be used"]),
        ({"sigmoid_s": "0.5"}, ["'sigmoid_s' cannot be used", "float", "str"]),
        ({"sigmoid_s": -1.0}, ["'sigmoid_s'", "greater than 0"]),
        ({"thresholding": 1}, ["'thresholding' cannot be used"]),
        ({"edge_mask": []}, ["'edge_mask' cannot be used", "a list of tensors"]),
        ({"edge_mask": [torch.ones(3, 4)]}, ["without edge_mask.1"]),
        ({"edge_mask": [torch.ones(3, 4), 1.0]}, ["'edge_mask[1]' cannot be used", "a tensor", "float"]),
    ],
)
def test_modules_that_are_refused(tmp_path, others, parts):
    refused(saved(tmp_path, PhyKAN(**attributes(tensors(), SHAPE, **others))), "module.pt", *parts)


def test_weights_that_are_not_finite_are_refused(tmp_path):
    state = tensors()
    state["filter_params.1"][2, 1, 0, 1] = torch.nan
    path = saved(tmp_path, PhyKAN(**attributes(state, SHAPE)))
    refused(path, "filter_params.1 holds values that are not finite", "1 of 48", "(2, 1, 0, 1)", "training diverged")


def test_a_class_that_is_not_known_is_refused_by_name(tmp_path):
    path = saved(tmp_path, PhyKAN_robotics(**attributes(tensors(), SHAPE)))
    refused(path, "it was not executed", "a reference to authors_modules.PhyKAN_robotics", "PhyKAN_actor")


def test_a_module_within_something_else_is_refused(tmp_path):
    module = PhyKAN(**attributes(tensors(), SHAPE))
    refused(saved(tmp_path, {"model": module}), "model is not a tensor", "PhyKAN")


def test_a_module_in_the_format_before_zip_is_refused(tmp_path):
    path = tmp_path / "module.pt"
    torch.save(PhyKAN(**attributes(tensors(), SHAPE)), path, _use_new_zipfile_serialization=False)
    refused(path, "it was not executed", "save it again with torch 1.6 or newer")


MADE = b"\x80\x02c__main__\nPhyKAN\n)\x81"
"""The beginning of a module: an object of the class that may be read."""
TOUCH = b"X\x11\x00\x00\x00touch executed.no"


@pytest.mark.parametrize(
    ("pickled", "found"),
    [
        (b"cos\nsystem\n(" + TOUCH + b"tR.", "reference to os.system"),
        (b"cposix\nsystem\n" + TOUCH + b"\x85R.", "reference to posix.system"),
        (b"c__builtin__\neval\n(X\x01\x00\x00\x001tR.", "reference to eval"),
        (b"cbuiltins\nexec\n(X\x01\x00\x00\x001tR.", "reference to exec"),
        (b"c__builtin__\ngetattr\n(ctorch\nSize\nX\x07\x00\x00\x00__new__tR.", "reference to getattr"),
        (b"ctorch.hub\nload\n(X\x01\x00\x00\x00ztR.", "reference to torch.hub.load"),
        (b"ctorch.serialization\nload\n(X\x01\x00\x00\x00ztR.", "reference to torch.serialization.load"),
        (b"ctorch.jit\nload\n(X\x01\x00\x00\x00ztR.", "reference to torch.jit.load"),
        (b"ctorch.nn.modules.module\nModule\n)\x81.", "reference to torch.nn.modules.module.Module"),
        (b"cnumpy.core.multiarray\nscalar\n)R.", "reference to numpy.core.multiarray.scalar"),
        (b"cos\nPhyKAN\n)\x81.", "reference to os.PhyKAN"),
        (b"csys\nPhyKAN_actor\n)\x81.", "reference to sys.PhyKAN_actor"),
        (b"c__main__\nPhyKAN\n(" + TOUCH + b"tR.", "PhyKAN is given arguments"),
        (b"c__main__\nPhyKAN\n(" + TOUCH + b"t\x81.", "PhyKAN is given arguments"),
        (MADE + b"K\x01b.", "the attributes of PhyKAN are no plain dictionary"),
        (MADE + b"}K\x01K\x02sb.", "the attributes of PhyKAN are no plain dictionary"),
        (MADE + b"}}\x86b.", "the attributes of PhyKAN are no plain dictionary"),
        (MADE + b"}X\x08\x00\x00\x00_modulesK\x01sb.", "the modules of PhyKAN are no plain dictionary"),
        (b"ccollections\ndefaultdict\n(cos\nsystem\ntR.", "reference to os.system"),
        (b"ccollections\ndefaultdict\nc__main__\nPhyKAN\n\x85R.", "dictionary is given arguments"),
        (MADE + b"X\x08\x00\x00\x00__init__\x93.", "pickle instructions"),
        (b"\x80\x04\x8c\x02os\x8c\x06system\x93.", "pickle instructions"),
        (MADE + b"K\x01a.", "pickle instructions"),
        (MADE + b"K\x01K\x02s.", "pickle instructions"),
        (b"\x80\x02c__main__\nPhyKAN\n}b.", "pickle instructions"),
        (b"\x80\x02ctorch\nTensor\nc__main__\nPhyKAN\n\x81.", ""),
    ],
)
def test_what_else_a_pickle_asks_for_is_refused_and_not_done(tmp_path, monkeypatch, pickled, found):
    monkeypatch.chdir(tmp_path)
    content = pickled if pickled.startswith(b"\x80") else b"\x80\x02" + pickled
    refused(torch_file(content, tmp_path / "hostile.pt"), "hostile.pt", found)
    assert [entry.name for entry in tmp_path.iterdir()] == ["hostile.pt"]


def doubled(times):
    """A list of two lists, each of two lists, ...: short as a pickle, without end as text."""
    nested: list[object] = []
    for _ in range(times):
        nested = [nested, nested]
    return nested


@pytest.mark.slow
@pytest.mark.parametrize("name", ["KANshape", "edge_mask", "sigmoid_s", "thresholding", "surprise"])
def test_values_that_grow_without_end_as_text_are_refused_at_once(tmp_path, name):
    module = PhyKAN(**attributes(tensors(), SHAPE))
    setattr(module, name, doubled(60))
    refused(saved(tmp_path, module), "module.pt")


def test_a_stand_in_can_do_nothing(tmp_path):
    """Also where what a pickle says of it bears the names of methods."""
    module = PhyKAN(**attributes(tensors(), SHAPE))
    module.__dict__ |= {"forward": 1, "__setstate__": 2, "__class__": 3}
    refused(saved(tmp_path, module), "with forward")


def test_torch_is_left_as_it_was(tmp_path):
    before = set(torch.serialization.get_safe_globals())
    loaded(tmp_path)
    assert set(torch.serialization.get_safe_globals()) == before
    with pytest.raises(pickle.UnpicklingError):
        torch.load(tmp_path / "module.pt", weights_only=True)


@pytest.mark.reference_data
@pytest.mark.parametrize(
    "name", ["function_0_shape_1", "function_10_shape_0", "function_20_shape_3", "function_3_shape_2"]
)
def test_published_modules_are_their_network(reference_data, name):
    """Their layers hand values on in float32, which is what outputs differ by; of the equations they are in float64."""
    folder = reference_data / "phykan" / "feynman_published" / name
    found = load(folder / "Model.pt")
    assert "nothing was run; by its attributes it is the earlier class" in found.notes[0]
    inputs, theirs = np.load(folder / "inputs.npy"), np.load(folder / "outputs.npy")
    outputs = list(reference_stages(found.model, inputs).values())[-1]
    assert np.abs(outputs - theirs).max() < 5e-6 * np.abs(theirs).max()
    np.testing.assert_allclose(outputs, complex_outputs(found.model, torch.from_numpy(inputs)), rtol=1e-9)
