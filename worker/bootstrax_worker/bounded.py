"""Shortens long texts, so that others can read them."""

# More than anybody reads, and small enough for every file and pipe.
LONGEST_TEXT = 400_000


def text(whole: str, longest: int = LONGEST_TEXT) -> str:
    """The text, or its beginning and its end if it is long."""
    if len(whole) <= longest:
        return whole
    half = longest // 2
    left_out = len(whole) - 2 * half
    return f"{whole[:half]}\n[... {left_out} characters left out ...]\n{whole[-half:]}"
