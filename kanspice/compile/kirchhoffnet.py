"""KirchhoffNet -> Design: the network is the circuit (paper, Eq. 7), so compiling is a choice of units.

A branch carries `units.i_unit_a` amps for a model current of 1, a node stands at `units.v_unit_v` volts for a model
voltage of 1, and every node has `kirchhoffnet.capacitance_f` farads to ground: model time 1 is C V_0 / I_0 seconds.
"""

from __future__ import annotations

from kanspice.design import Design, OdePeriod, ReadOut, Stage
from kanspice.design.branches import LAWS, LawName
from kanspice.errors import InputError
from kanspice.models import KirchhoffNet
from kanspice.models.reference import PeriodArrays, period_arrays
from kanspice.technology import Technology


def compile_kirchhoffnet(model: KirchhoffNet, technology: Technology, *, model_sha256: str = "") -> Design:
    """The circuit of a KirchhoffNet: a period for each layer, then the read-out.

    Raises InputError for a branch function that has no circuit yet, and for a residual.
    """
    law = _law(model)
    if model.residual is not None:
        raise InputError(
            "a residual has no circuit yet", expected="a KirchhoffNet without one", found=f"layers {model.residual}"
        )
    stages: list[Stage] = []
    inputs = model.input_width
    for index, arrays in enumerate(period_arrays(model), start=1):
        stages.append(_period(model, technology, law, arrays, index=index, inputs=inputs))
        inputs = arrays.nodes
    unit_v = technology.units.v_unit_v
    stages.append(ReadOut("readout", "readout", model.readout.start, model.readout.width, unit_v))
    return Design(
        family="kirchhoffnet",
        model_sha256=model_sha256,
        technology_json=technology.to_json(),
        devices=(),
        input_width=model.input_width,
        input_v_per_unit=unit_v,
        swing_basis="none: there are no amplifiers",
        stages=tuple(stages),
    )


def _law(model: KirchhoffNet) -> LawName:
    for law in LAWS:
        if law == model.branch.name:
            return law
    raise InputError(
        "this branch function has no circuit yet", expected=f"one of {', '.join(LAWS)}", found=repr(model.branch.name)
    )


def _period(
    model: KirchhoffNet, technology: Technology, law: LawName, arrays: PeriodArrays, *, index: int, inputs: int
) -> OdePeriod:
    units, capacitor_f = technology.units, technology.kirchhoffnet.capacitance_f
    return OdePeriod(
        name=f"l{index}.period",
        compares_to=f"l{index}.period",
        inputs=inputs,
        nodes=arrays.nodes,
        fill=model.fill,
        law=law,
        source=arrays.source,
        destination=arrays.destination,
        theta=arrays.theta,
        current_unit_a=units.i_unit_a,
        unit_v=units.v_unit_v,
        capacitor_f=capacitor_f,
        period_s=arrays.duration * capacitor_f * units.v_unit_v / units.i_unit_a,
    )
