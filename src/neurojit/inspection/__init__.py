"""Looking into what was learnt: plots that return matplotlib axes."""

from neurojit.inspection.plots import confusion_matrix, first_layer_filters, learning_curve, misclassified

__all__ = ["confusion_matrix", "first_layer_filters", "learning_curve", "misclassified"]
