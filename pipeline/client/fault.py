"""What can be wrong with a value, as whoever decodes it is told."""

from PIL.Image import DecompressionBombError

FAULTS = (
    *(ValueError, LookupError, TypeError, AttributeError, ArithmeticError),
    *(OSError, SyntaxError, DecompressionBombError),  # Pillow's words for a broken picture
    RecursionError,  # JSON that is nested too deeply
)


def told(error: Exception) -> str:
    """The fault in words."""
    if isinstance(error, KeyError):
        return f"{error} is missing"
    return f"{type(error).__name__}: {error}"
