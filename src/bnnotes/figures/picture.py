"""The stills of `bnnotes.pictures.look`, for the chapters that have not moved there."""

from ..pictures.look import Picture, new_axes, new_figure, still

__all__ = ["Picture", "new_axes", "new_figure", "still"]
