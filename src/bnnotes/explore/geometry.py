"""Explorers of chapter 4: angles in sample space, and what they make of W and γ."""

from __future__ import annotations

from .geometry_layers import layers
from .geometry_means import means
from .geometry_stops import quadrants, stops
from .geometry_triangle import triangle

__all__ = ["layers", "means", "quadrants", "stops", "triangle"]
