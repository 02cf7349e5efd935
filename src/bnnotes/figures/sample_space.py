"""What `bnnotes.pictures.look` offers, for the chapters that have not moved there."""

from ..pictures.look import explanation, key

__all__ = ["explanation", "key"]
