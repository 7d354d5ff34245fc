"""Looking into networks: plots of what was learnt as matplotlib axes, tables of what layers see and cost."""

from neurojit.core.tables import Table
from neurojit.inspection.gradient_flow import gradient_flow, gradient_norms
from neurojit.inspection.memory_cells import cell_traces, state_traces
from neurojit.inspection.plots import confusion_matrix, first_layer_filters, learning_curve, misclassified
from neurojit.inspection.receptive_field import Field, receptive_field
from neurojit.inspection.reservoirs import eigenvalues, error_by_horizon, free_run, state_heat_map
from neurojit.layers.cost import Cost, cost

__all__ = [
    "Cost",
    "Field",
    "Table",
    "cell_traces",
    "confusion_matrix",
    "cost",
    "eigenvalues",
    "error_by_horizon",
    "first_layer_filters",
    "free_run",
    "gradient_flow",
    "gradient_norms",
    "learning_curve",
    "misclassified",
    "receptive_field",
    "state_heat_map",
    "state_traces",
]
