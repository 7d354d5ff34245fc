"""Reservoirs: fixed random networks that a series runs through, and the linear readouts that are trained on them."""

from neurojit.reservoirs.generators import lorenz, mackey_glass, multiple_sines, narma
from neurojit.reservoirs.harvesting import Drive, Piece, harvest
from neurojit.reservoirs.matrices import input_matrix, reservoir_matrix
from neurojit.reservoirs.normal_equations import NormalEquations, Readout
from neurojit.reservoirs.online import FORCE, LMS, RLS, OnlineReadout
from neurojit.reservoirs.reservoir import Reservoir, make_reservoir
from neurojit.reservoirs.shifts import ShiftMatrix
from neurojit.reservoirs.spectrum import (
    growth_rate,
    scale_spectral_norm,
    scale_spectral_radius,
    spectral_norm,
    spectral_radius,
)

__all__ = [
    "FORCE",
    "LMS",
    "RLS",
    "Drive",
    "NormalEquations",
    "OnlineReadout",
    "Piece",
    "Readout",
    "Reservoir",
    "ShiftMatrix",
    "growth_rate",
    "harvest",
    "input_matrix",
    "lorenz",
    "mackey_glass",
    "make_reservoir",
    "multiple_sines",
    "narma",
    "reservoir_matrix",
    "scale_spectral_norm",
    "scale_spectral_radius",
    "spectral_norm",
    "spectral_radius",
]
