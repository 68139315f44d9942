"""Texts that may be of any length, cut to one that others can read."""

# Far more than anybody reads, and little enough for every file and pipe.
LONGEST_TEXT = 400_000


def text(whole: str, longest: int = LONGEST_TEXT) -> str:
    """The text itself, or its beginning and its end."""
    if len(whole) <= longest:
        return whole
    half = longest // 2
    left_out = len(whole) - 2 * half
    return f"{whole[:half]}\n[... {left_out} characters left out ...]\n{whole[-half:]}"
