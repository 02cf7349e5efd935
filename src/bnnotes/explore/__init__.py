"""Explorers: figures with sliders. Widgets, and no mathematics of their own."""
