"""What a model needs to learn on a board: which tensor its learner sees, and how it learns best from that."""

from .choose import taught
from .embedding import kept, seen
from .enrol import enrolling

__all__ = ["enrolling", "kept", "seen", "taught"]
