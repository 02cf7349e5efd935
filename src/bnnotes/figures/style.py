"""The looks of `bnnotes.pictures.look`, for the chapters that have not moved there."""

from ..pictures.look import *  # noqa: F403
