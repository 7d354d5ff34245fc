"""Reservoirs: fixed random networks that a series runs through, and the linear readouts that are trained on them."""

from neurojit.reservoirs.generators import lorenz, mackey_glass, multiple_sines, narma
from neurojit.reservoirs.harvesting import Drive, Piece, harvest
from neurojit.reservoirs.leave_one_out import press
from neurojit.reservoirs.liquid import Liquid
from neurojit.reservoirs.matrices import input_matrix, reservoir_matrix
from neurojit.reservoirs.normal_equations import NormalEquations, Readout
from neurojit.reservoirs.observables import (
    forgets_its_start,
    generalization_rank,
    kernel_rank,
    leaky_spectral_radius,
    memory_capacity,
)
from neurojit.reservoirs.online import FORCE, LMS, RLS, OnlineReadout
from neurojit.reservoirs.polynomials import delayed, monomials
from neurojit.reservoirs.reservoir import Reservoir, make_reservoir
from neurojit.reservoirs.shifts import ShiftMatrix
from neurojit.reservoirs.spectrum import (
    growth_rate,
    scale_spectral_norm,
    scale_spectral_radius,
    spectral_norm,
    spectral_radius,
)
from neurojit.reservoirs.spikes import encode_delta, encode_latency, encode_rate

__all__ = [
    "FORCE",
    "LMS",
    "RLS",
    "Drive",
    "Liquid",
    "NormalEquations",
    "OnlineReadout",
    "Piece",
    "Readout",
    "Reservoir",
    "ShiftMatrix",
    "delayed",
    "encode_delta",
    "encode_latency",
    "encode_rate",
    "forgets_its_start",
    "generalization_rank",
    "growth_rate",
    "harvest",
    "input_matrix",
    "kernel_rank",
    "leaky_spectral_radius",
    "lorenz",
    "mackey_glass",
    "make_reservoir",
    "memory_capacity",
    "monomials",
    "multiple_sines",
    "narma",
    "press",
    "reservoir_matrix",
    "scale_spectral_norm",
    "scale_spectral_radius",
    "spectral_norm",
    "spectral_radius",
]
