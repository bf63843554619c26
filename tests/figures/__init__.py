"""The benchmark: that it measures, and that its tables, plots and budgets say what was measured."""
